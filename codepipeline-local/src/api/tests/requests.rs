use super::*;

#[test]
fn every_handler_is_an_operation_of_the_model() {
    let table = include_str!("../dispatch.rs");
    let arms = table.lines().filter(|line| line.ends_with("::answer,"));
    let names: Vec<&str> = arms.filter_map(|line| line.trim_start().strip_prefix('"')?.split('"').next()).collect();
    assert!(names.len() > 25, "{names:?}");
    assert_eq!(names, super::super::operations().collect::<Vec<_>>(), "the table is sorted and has the model's names");
}

fn error(target: &str, body: &[u8]) -> (String, String) {
    let mut local = Local::new();
    let reply = answer(&mut local.engine, local.now, target, body);
    assert_eq!(reply.status, 400);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    (body["__type"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
}

#[test]
fn unemulated_operation_is_named() {
    let (name, message) = error("CodePipeline_20150709.PutWebhook", b"{}");
    assert_eq!(name, "NotImplementedException");
    assert!(message.contains("PutWebhook"));
}

#[test]
fn unknown_targets_and_unreadable_bodies_differ() {
    let (name, message) = error("CodePipeline_20150709.Nothing", b"{}");
    assert_eq!(name, "UnknownOperationException");
    assert_eq!(
        message,
        "CodePipeline has no operation \"Nothing\"; the target must be CodePipeline_20150709.OPERATION"
    );
    assert_eq!(error("ListPipelines", b"{}").0, "UnknownOperationException");
    assert_eq!(error("DynamoDB_20120810.ListTables", b"{}").0, "UnknownOperationException");
    assert_eq!(error("CodePipeline_20150709.ListPipelines", b"{").0, "SerializationException");
    let (name, message) = error("CodePipeline_20150709.GetPipeline", br#"{"name": "a", "version": 99999999999}"#);
    assert_eq!(
        (name.as_str(), message.as_str()),
        ("SerializationException", "Value at 'version' must be an integer of 32 bits")
    );
}

#[test]
fn empty_body_nulls_and_unknown_members_are_accepted() {
    let mut local = Local::new();
    local.call("ListPipelines", &json!({"nextToken": null, "madeUp": 1}));
    let reply = answer(&mut local.engine, local.now, "CodePipeline_20150709.ListPipelines", b"");
    assert_eq!(reply.status, 200);
}

#[test]
fn null_for_a_required_member_is_a_validation_error() {
    let (name, message) = Local::new().refused("GetJobDetails", &json!({"jobId": null}));
    assert_eq!(name, "ValidationException");
    assert_eq!(
        message,
        "1 validation error detected: Value at 'jobId' failed to satisfy constraint: Member must not be null"
    );
}

/// The service accepts only numbers, nesting and text that JSON allows.
#[test]
fn malformed_json_is_a_serialization_error() {
    let deep =
        |depth: usize| [r#"{"name": "#.to_owned(), "[".repeat(depth), "]".repeat(depth), "}".to_owned()].concat();
    for body in [
        "7",
        "null",
        "[]",
        r#""name""#,
        "{} {}",
        r#"{"name": "a",}"#,
        r#"{"name": 'a'}"#,
        r#"{"name": "a\u00"}"#,
        r#"{"name": "\ud800"}"#,
        "{\"name\": \"a\nb\"}",
        r#"{"name": "a", "version": 1e999}"#,
        r#"{"name": "a", "version": 1.5}"#,
        r#"{"name": "a", "version": 4294967297}"#,
        r#"{"name": "a", "version": 123456789012345678901234567890}"#,
        r#"{"name": "a", "version": "1"}"#,
        r#"{"name": "a", "version": NaN}"#,
        &deep(5),
        &deep(100_000),
    ] {
        let shown: String = body.chars().take(60).collect();
        assert_eq!(error("CodePipeline_20150709.GetPipeline", body.as_bytes()).0, "SerializationException", "{shown}");
    }
    for body in [&b"\xff\xfe{\x00}\x00"[..], b"{\"name\": \"\xff\"}", b"\xef\xbb\xbf{}", b"\0"] {
        assert_eq!(error("CodePipeline_20150709.GetPipeline", body).0, "SerializationException");
    }
}

#[test]
fn last_of_duplicate_members_wins() {
    let (name, message) = error("CodePipeline_20150709.GetPipeline", br#"{"name": 7, "name": "web"}"#);
    assert_eq!((name.as_str(), message.contains("'web'")), ("PipelineNotFoundException", true));
}
