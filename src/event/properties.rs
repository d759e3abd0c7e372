//! Any JSON is an event or is refused, and a refusal quotes only source, type and state.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::parse;
use super::*;

/// The texts that decide. A refusal may quote them if they are plain names.
const SHOWN: [&str; 6] =
    ["/source", "/detail-type", "/detailType", "/detail/state", "/detail/status", "/Records/-/Sns/Message"];

const NAMES: [&str; 18] = [
    "source",
    "detail-type",
    "detailType",
    "detail",
    "state",
    "status",
    "type",
    "owner",
    "category",
    "provider",
    "version",
    "action-execution-id",
    "stateMachineArn",
    "CodePipeline.job",
    "Records",
    "Sns",
    "Message",
    "jobId",
];

const TEXTS: [&str; 14] = [
    "aws.events",
    "aws.scheduler",
    "aws.codepipeline",
    "aws.states",
    "Scheduled Event",
    "CodePipeline Action Execution State Change",
    "Step Functions Execution Status Change",
    "STARTED",
    "ABANDONED",
    "CANCELED",
    "FAILED",
    "RUNNING",
    "",
    "AKIA/SECRET+VALUE",
];

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![3 => prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,90}"];
    let leaf = prop_oneof![
        6 => text.prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let name = prop_oneof![8 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,9}"];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            6 => prop::collection::btree_map(name.clone(), inner.clone(), 0..8)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// Mostly an event that the worker knows, with arbitrary members.
fn any_event() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        ("aws.codepipeline", "CodePipeline Action Execution State Change"),
        ("aws.states", "Step Functions Execution Status Change"),
        ("aws.scheduler", "Scheduled Event"),
    ]);
    let known = (kind, any_json(), any_json(), any_json()).prop_map(|((source, kind), mut detail, inner, state)| {
        if let Value::Object(members) = &mut detail {
            members.insert("type".to_owned(), inner);
            members.insert("state".to_owned(), state);
        }
        json!({"source": source, "detail-type": kind, "detail": detail})
    });
    prop_oneof![3 => known, 1 => any_json()]
}

/// Replaces every text that no error may show.
fn hide(value: &mut Value, path: &str) {
    match value {
        Value::String(text) if !text.is_empty() && !SHOWN.contains(&path) => "another".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, &format!("{path}/-"))),
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| hide(value, &format!("{path}/{key}"))),
        _ => {}
    }
}

/// The log's text for the event.
fn said(parsed: Result<Event, UnknownEvent>) -> String {
    match parsed {
        Ok(Event::Ignored { what }) => what,
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

proptest! {
    #[test]
    fn any_json_is_an_event_or_is_refused_unquoted(payload in any_event()) {
        let mut hidden = payload.clone();
        hide(&mut hidden, "");
        let (parsed, of_hidden) = (parse(&payload), parse(&hidden));
        prop_assert_eq!(parsed.is_ok(), of_hidden.is_ok());
        let text = said(parsed);
        prop_assert!(text.len() < 900 && !text.contains(char::is_control) && !text.contains("AKIA"), "{}", text);
        prop_assert_eq!(text, said(of_hidden));
    }
}
