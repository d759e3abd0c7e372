//! Metrics, alarms, the summary of an invocation and the fields of log lines.

use codepipeline_worker::worker::Summary;
use serde_json::Value;

use super::table::{first_column, first_columns, names, rows};
use super::{assert_same, code, file, log_fields, template_file};

const DOCUMENT: &str = "docs/operating.md";

#[test]
fn metrics_are_those_of_the_template_and_of_the_code() {
    let filters = template_file::resources("AWS::Logs::MetricFilter");
    let in_template: Vec<_> =
        filters.iter().map(|(_, body)| template_file::value(body, "MetricName").unwrap()).collect();
    assert_same(first_column(DOCUMENT, "metric"), &in_template, DOCUMENT);
    let code = code("src");
    for metric in &in_template {
        assert!(code.contains(&format!("\"{metric}\"")), "no line of the log has the metric {metric}");
    }
    let logged =
        code.match_indices("metric = \"").map(|(at, start)| code[at + start.len()..].split('"').next().unwrap());
    for metric in logged {
        assert!(in_template.iter().any(|known| known == metric), "template.yaml has no filter for the metric {metric}");
    }
}

#[test]
fn alarms_are_beside_their_metrics() {
    for (alarm, body) in template_file::resources("AWS::CloudWatch::Alarm") {
        let metric = template_file::value(&body, "MetricName").unwrap();
        let row = rows(DOCUMENT, "metric").into_iter().find(|row| names(&row[0]) == [metric.as_str()]);
        match row {
            Some(row) => assert_eq!(names(&row[2]), [alarm], "{DOCUMENT} has another alarm for {metric}"),
            None => assert!(file(DOCUMENT).contains(&format!("`{alarm}`")), "{DOCUMENT} does not name {alarm}"),
        }
    }
}

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
    let fields = fields.iter().filter(|field| !summary.contains_key(*field));
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
