//! Metrics, alarms, the dashboard and the saved queries: the template and the document name what the worker writes.

use std::collections::BTreeSet;

use codepipeline_worker::metrics::complete_lines;
use serde_json::Value;

use super::table::{first_column, first_columns, names, rows};
use super::{assert_same, file, template_file};

const DOCUMENT: &str = "docs/operating.md";

/// Words of the queries' language.
const LANGUAGE: [&str; 15] = [
    "fields",
    "filter",
    "sort",
    "limit",
    "stats",
    "by",
    "as",
    "asc",
    "desc",
    "or",
    "ispresent",
    "min",
    "max",
    "latest",
    "count",
];

fn lines() -> Vec<Value> {
    complete_lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The names of all metrics that the worker may write.
fn written() -> BTreeSet<String> {
    let lines = lines();
    let defined = lines.iter().flat_map(|line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap());
    defined.map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
}

fn is_own(alarm: &str) -> bool {
    alarm.contains("Namespace: !Sub codepipeline-worker/${AWS::StackName}")
}

#[test]
fn documented_metrics_are_those_that_the_worker_writes() {
    assert_same(first_columns(DOCUMENT, "metric"), written(), DOCUMENT);
}

#[test]
fn alarms_watch_metrics_that_exist_and_say_what_to_do() {
    let alarms = template_file::resources("AWS::CloudWatch::Alarm");
    assert_same(first_column(DOCUMENT, "alarm"), alarms.iter().map(|(name, _)| name), DOCUMENT);
    let written = written();
    let rows = rows(DOCUMENT, "alarm");
    for (alarm, body) in &alarms {
        let metric = template_file::value(body, "MetricName").unwrap();
        assert!(
            !is_own(body) || written.contains(&metric),
            "{alarm} watches {metric}, which the worker does not write"
        );
        let row = rows.iter().find(|row| names(&row[0]) == [alarm.as_str()]).unwrap();
        assert!(names(&row[1]).contains(&metric), "{DOCUMENT} does not say that {alarm} watches {metric}");
        let description = template_file::value(body, "AlarmDescription").unwrap();
        assert!(description.contains(" First: "), "{alarm} does not say what to do first");
    }
}

#[test]
fn dashboard_shows_every_metric() {
    let (_, dashboard) = template_file::resources("AWS::CloudWatch::Dashboard").remove(0);
    let after = |start: &'static str| {
        dashboard.match_indices(start).map(|(at, _)| {
            let rest = &dashboard[at + start.len()..];
            rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap()].to_owned()
        })
    };
    let shown = after(r#"["${Namespace}", ""#).chain(after(r#"MetricName=\""#));
    assert_same(shown, written(), "the dashboard of template.yaml");
    let json = dashboard.split_once("        - |\n").unwrap().1.split_once("        - Namespace:").unwrap().0;
    let body: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
    assert!(body["widgets"].as_array().unwrap().iter().all(|widget| widget["properties"]["title"].is_string()));
}

#[test]
fn queries_name_only_members_of_lines() {
    let lines = lines();
    let members = lines.iter().flat_map(|line| line.as_object().unwrap().keys().cloned());
    let mut known: BTreeSet<String> = members.chain(first_column(DOCUMENT, "field")).collect();
    known.extend(["requestId", "message"].map(str::to_owned));
    let queries = template_file::resources("AWS::Logs::QueryDefinition");
    assert_eq!(queries.len(), 3);
    for (query, body) in queries {
        let text = body.split_once("QueryString: |\n").unwrap().1;
        // A line that a reader may turn on is code too. The others after # are words for the reader.
        let code = text.lines().map(str::trim).filter_map(|line| match line.strip_prefix("# ") {
            Some(rest) => rest.starts_with('|').then_some(rest),
            None => Some(line),
        });
        let code: String = code.map(|line| format!("{line}\n")).collect();
        let quoted_out: String = code.split('"').step_by(2).collect();
        let words: Vec<&str> = quoted_out
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '@'))
            .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
            .collect();
        let named: BTreeSet<&str> = words.windows(2).filter(|pair| pair[0] == "as").map(|pair| pair[1]).collect();
        for word in words {
            let is_known = LANGUAGE.contains(&word) || named.contains(word) || known.contains(word);
            assert!(is_known, "{query} names {word}, which no line of the log has");
        }
    }
    for query in ["Why did this job fail", "What is stuck", "Slowest actions"] {
        assert!(file(DOCUMENT).contains(query), "{DOCUMENT} does not name the query {query}");
    }
}
