//! The summary of an invocation and the fields of log lines.

use codepipeline_worker::worker::Summary;
use serde_json::Value;

use super::table::{first_column, first_columns};
use super::{assert_same, code, file, log_fields};

const DOCUMENT: &str = "docs/operating.md";

#[test]
fn summary_has_the_members_of_the_table_and_of_the_example() {
    let Value::Object(summary) = serde_json::to_value(Summary::default()).unwrap() else { unreachable!() };
    assert_same(first_column(DOCUMENT, "member"), summary.keys(), DOCUMENT);
    let text = file(DOCUMENT);
    let example = text.split_once("```json\n{\"polled\"").unwrap().1.split("\n```").next().unwrap();
    let example: Value = serde_json::from_str(&format!("{{\"polled\"{example}")).unwrap();
    assert_same(example.as_object().unwrap().keys(), summary.keys(), DOCUMENT);
}

#[test]
fn fields_of_log_lines_are_in_the_table() {
    let Value::Object(summary) = serde_json::to_value(Summary::default()).unwrap() else { unreachable!() };
    let fields = log_fields::of(&code("src"));
    // `telemetry` replaces `emf` by the members of the metrics.
    let fields = fields.iter().filter(|field| !summary.contains_key(*field) && *field != "emf");
    assert_same(first_column(DOCUMENT, "field"), fields, DOCUMENT);
}

/// A metric filter reads a dot as a step into an object.
#[test]
fn field_names_are_in_camel_case() {
    for field in log_fields::of(&code("src")) {
        assert!(!field.contains(['.', '_']), "the field `{field}` of a log line must be in camelCase");
    }
}

#[test]
fn failure_codes_are_in_a_table() {
    let code = code("src");
    let declared = code.split("FailureCode = FailureCode::new(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert_same(first_columns(DOCUMENT, "code"), declared, DOCUMENT);
}
