//! Events. The worker accepts or refuses each one. A refusal reveals only the event's source, type and state.
#![no_main]

use std::time::{Duration, SystemTime};

use codepipeline_worker::actions::ends_of_work;
use codepipeline_worker::event::Event;
use codepipeline_worker::queue::{Invoked, InvokedJob};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The fields that decide. A refusal may show them if they are plain names.
const SHOWN: [&str; 6] =
    ["/source", "/detail-type", "/detailType", "/detail/state", "/detail/status", "/Records/-/Sns/Message"];

fuzz_target!(|data: &[u8]| {
    let Ok(payload) = serde_json::from_slice::<Value>(data) else { return };
    let mut hidden = payload.clone();
    hide(&mut hidden, "");
    let ends = ends_of_work();
    match (Event::parse(&payload, &ends), Event::parse(&hidden, &ends)) {
        (Err(error), Err(of_hidden)) => {
            let text = error.to_string();
            assert_eq!(text, of_hidden.to_string(), "the message depends on a hidden value");
            assert!(text.len() < 900 && !text.contains(char::is_control), "{text:?}");
        }
        (Ok(Event::InvokeJob), Ok(Event::InvokeJob)) => check_job(&payload),
        (Ok(Event::Ignored { what }), Ok(Event::Ignored { what: of_hidden })) => {
            assert_eq!(what, of_hidden, "the log depends on a hidden value");
            assert!(what.len() < 900 && !what.contains(char::is_control), "{what:?}");
        }
        (Ok(_), Ok(_)) => {}
        _ => panic!("the decision depends on a hidden value"),
    }
});

fn check_job(payload: &Value) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    match InvokedJob::from_event(payload, now) {
        Ok(Invoked::Job(invoked)) => {
            assert_eq!(payload["CodePipeline.job"]["id"].as_str(), Some(invoked.details.job.id.as_str()));
        }
        Ok(Invoked::WithoutData(claim)) => assert!(!claim.key().id().is_empty()),
        Err(error) => assert!(error.to_string().len() < 200, "{error}"),
    }
}

/// Replaces every text that no error may show.
fn hide(value: &mut Value, path: &str) {
    match value {
        Value::String(text) if !text.is_empty() && !SHOWN.contains(&path) => "another".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, &format!("{path}/-"))),
        Value::Object(members) => {
            members.iter_mut().for_each(|(key, value)| hide(value, &format!("{path}/{key}")));
        }
        _ => {}
    }
}
