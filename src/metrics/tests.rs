//! The lines as CloudWatch reads them.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;
use crate::job::ActionTypeId;

/// Metrics, and the lines that they write. The time is 20 November 2026.
fn metrics() -> (Metrics, impl Fn() -> Vec<Value>) {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&bytes);
    let clock = || UNIX_EPOCH + Duration::from_secs(1_795_132_800);
    let metrics = Metrics::new("ns/web", clock, move |line| written.lock().unwrap().extend_from_slice(line));
    let lines = move || {
        let text = String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    (metrics, lines)
}

fn shell() -> ActionTypeId {
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    ActionTypeId { category, owner, provider, version }
}

#[tokio::test(start_paused = true)]
async fn line_of_a_job_names_what_was_measured() {
    let (metrics, lines) = metrics();
    let job = JobMeter::new(&metrics, &shell());
    {
        let _time = job.time(|values| &mut values.action_ms);
        tokio::time::advance(Duration::from_millis(1234)).await;
    }
    job.add(|values| &mut values.staging_in_bytes, 3);
    job.add(|values| &mut values.staging_in_bytes, 4);
    job.end(|values| &mut values.jobs_failed);
    job.end(|values| &mut values.jobs_lost);
    drop(job);
    let expected = json!({
        "_aws": {
            "Timestamp": 1_795_132_800_000_u64,
            "CloudWatchMetrics": [{
                "Namespace": "ns/web",
                "Dimensions": [[], ["ActionType"]],
                "Metrics": [
                    {"Name": "JobsFailed", "Unit": "Count"},
                    {"Name": "StagingInBytes", "Unit": "Bytes"},
                    {"Name": "ActionMs", "Unit": "Milliseconds"}
                ]
            }]
        },
        "message": "metrics of a job",
        "ActionType": "Custom/Test/Shell/1",
        "JobsFailed": 1,
        "StagingInBytes": 7,
        "ActionMs": 1234
    });
    assert_eq!(lines(), [expected]);
}

#[test]
fn job_without_an_end_is_undelivered() {
    let (metrics, lines) = metrics();
    drop(JobMeter::new(&metrics, &shell()));
    assert_eq!(lines()[0]["JobsUndelivered"], 1);
}

#[test]
fn first_invocation_of_a_process_is_a_cold_start() {
    let (metrics, lines) = metrics();
    drop(InvocationMeter::new(&metrics));
    let mut second = InvocationMeter::new(&metrics);
    second.values.ticks = Some(1);
    drop(second);
    let [first, second] = &lines()[..] else { panic!("{:?}", lines()) };
    assert_eq!((&first["ColdStarts"], &second["ColdStarts"]), (&json!(1), &Value::Null));
    let expected =
        json!([{"Namespace": "ns/web", "Dimensions": [[]], "Metrics": [{"Name": "Ticks", "Unit": "Count"}]}]);
    assert_eq!(second["_aws"]["CloudWatchMetrics"], expected);
}

/// CloudWatch ignores a line that breaks a limit of the format ("Specification: Embedded metric format").
#[test]
fn complete_lines_are_within_the_limits() {
    for line in complete_lines() {
        assert!(line.len() < 4096 && line.ends_with('\n') && line.matches('\n').count() == 1, "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        let [directive] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else { panic!("{line}") };
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()), "{line}");
        assert!(metrics.iter().all(|metric| line[metric["Name"].as_str().unwrap()].is_u64()), "{line}");
        let mut dimensions = directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap());
        assert!(dimensions.all(|name| line[name.as_str().unwrap()].is_string()), "{line}");
    }
}
