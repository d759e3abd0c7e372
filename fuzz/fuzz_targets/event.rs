//! Events: whatever wakes the function is taken or refused, and a refusal tells nothing that the event holds but its
//! source, its type and its state.
#![no_main]

use std::time::{Duration, SystemTime};

use codepipeline_worker::actions::ends_of_work;
use codepipeline_worker::event::Event;
use codepipeline_worker::queue::{Invoked, InvokedJob};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// What decides, and what a refusal may name where it is a plain name.
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
            assert_eq!(text, of_hidden.to_string(), "the message depends on what it must not tell");
            assert!(text.len() < 900 && !text.contains(char::is_control), "{text:?}");
        }
        (Ok(Event::InvokeJob), Ok(Event::InvokeJob)) => check_job(&payload),
        (Ok(Event::Ignored { what }), Ok(Event::Ignored { what: of_hidden })) => {
            assert_eq!(what, of_hidden, "the log depends on what it must not tell");
            assert!(what.len() < 900 && !what.contains(char::is_control), "{what:?}");
        }
        (Ok(_), Ok(_)) => {}
        _ => panic!("whether an event is of use depends on a value that says nothing"),
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

/// Puts another text in the place of every text that no error may show.
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
