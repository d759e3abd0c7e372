//! Each example in `events/` wakes the real function.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use codepipeline_local::runtime_api::Invocation;
use codepipeline_worker::actions::ends_of_work;
use codepipeline_worker::event::Event;
use codepipeline_worker::job::ActionTypeId;
use serde_json::{Value, json};

use crate::support::{self, World, custom, shell, zip};

#[test]
fn every_example_event_is_understood() {
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    let action_type = ActionTypeId { category, owner, provider, version };
    let execution_id = "47f821c5-a902-4c2d-ae61-f878d31aa8f4".to_owned();
    let over = Event::ActionOver { action_type: action_type.clone(), execution_id: Some(execution_id.clone()) };
    let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:nightly".to_owned();
    // date -u -d 2026-01-15T09:30:02Z +%s
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_469_402);
    let mut expected = BTreeMap::from([
        ("action-abandoned.json", over),
        (
            "action-failed.json",
            Event::ActionFailed { action_type: action_type.clone(), execution_id: execution_id.clone() },
        ),
        (
            "action-started.json",
            Event::ActionStarted { action_type, execution_id: Some(execution_id), time: Some(started) },
        ),
        ("codepipeline-job.json", Event::InvokeJob),
        ("schedule.json", Event::Schedule),
        ("scheduler.json", Event::Schedule),
        ("state-machine-ended.json", Event::WorkEnded { source: "aws.states", resource: Some(machine) }),
    ]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = expected.remove(name).unwrap_or_else(|| panic!("unexpected example: {name}"));
        assert_eq!(Event::parse(&event, &ends_of_work()), Ok(expected), "{name}");
    }
    assert!(expected.is_empty(), "{expected:?}");
}

fn example(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The examples are of the action type `Custom/Test/Shell/1`, and of a job that no pipeline waits for.
#[tokio::test(flavor = "multi_thread")]
async fn the_function_does_what_each_example_event_asks() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let action = custom("Shell", "Test", "Shell").configuration("Command", "true");
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Shell").await;
    world.create_type("Deploy", "Nightly", &[]).await;
    let nightly = json!({
        "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Nightly", "version": "1"},
        "run": {"stateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:nightly:PROD"}
    });
    let (function, _log) = support::function(&world, &json!([shell("Test", "Shell"), nightly]), &[]);

    let execution_id = world.action("p", "Shell").await.unwrap().action_execution_id.unwrap();

    let mut answers = Vec::new();
    for name in
        ["action-started", "action-abandoned", "action-failed", "state-machine-ended", "codepipeline-job", "schedule"]
    {
        let polls_before = world.emulator.calls("PollForJobs");
        let mut event = example(&format!("{name}.json"));
        if name == "action-started" {
            event["detail"]["action-execution-id"] = json!(execution_id);
        }
        let invocation = function.invoke(&event).await.unwrap();
        let Invocation::Answered(summary) = invocation else { panic!("{name}: {invocation:?}") };
        let count = |member: &str| summary[member].as_u64().unwrap();
        let has_polled = world.emulator.calls("PollForJobs") > polls_before;
        answers.push((name, count("succeeded"), count("stopped"), count("over"), has_polled));
    }
    let mut foreign = example("state-machine-ended.json");
    foreign["detail"]["stateMachineArn"] = json!("arn:aws:states:us-east-1:123456789012:stateMachine:night");
    let polls_before = world.emulator.calls("PollForJobs");
    let ignored = function.invoke(&foreign).await.unwrap();
    function.stop().await;

    assert!(matches!(&ignored, Invocation::Answered(_)), "{ignored:?}");
    assert_eq!(world.emulator.calls("PollForJobs"), polls_before, "it waits for no execution of that machine");
    assert_eq!(
        answers,
        [
            ("action-started", 1, 0, 0, true),
            ("action-abandoned", 0, 1, 0, false),
            ("action-failed", 0, 0, 0, false),
            ("state-machine-ended", 0, 0, 0, true),
            ("codepipeline-job", 0, 0, 1, false),
            ("schedule", 0, 0, 0, true),
        ]
    );
}

/// Schedules with an input of their own, tests from the console, and events that a rule without a filter sends.
#[tokio::test(flavor = "multi_thread")]
async fn only_events_from_elsewhere_are_errors() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let (function, mut log) = support::function(&world, &json!([shell("Test", "Shell")]), &[]);
    let example = example("action-abandoned.json");
    let with = |member: &str, value: Value| {
        let mut event = example.clone();
        event["detail"][member] = value;
        event
    };
    let mut stage = example.clone();
    stage["detail-type"] = json!("CodePipeline Stage Execution State Change");
    let code_build = json!({"owner": "AWS", "category": "Build", "provider": "CodeBuild", "version": "1"});
    for (event, polls) in [
        (json!({}), 1),
        (json!(null), 1),
        (json!({"action": "poll"}), 1),
        (json!("wake up"), 1),
        (with("state", json!("SUCCEEDED")), 0),
        (with("state", json!("SUPERSEDED")), 0),
        (with("state", json!("CANCELLED")), 0),
        (with("type", code_build), 0),
        (stage, 0),
    ] {
        let before = world.emulator.calls("PollForJobs");
        let answer = function.invoke(&event).await.unwrap();
        assert!(matches!(answer, Invocation::Answered(_)), "{event}: {answer:?}");
        assert_eq!(world.emulator.calls("PollForJobs") - before, polls, "{event}");
    }
    let foreign = json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {"key": "private"}});
    let partner = json!({"jobId": "1", "accountId": "2", "data": {"actionConfiguration": {"Token": "private"}}});
    for (event, words) in [(foreign, "source \"aws.s3\""), (partner, "does not support that model")] {
        let answer = function.invoke(&event).await.unwrap();
        let Invocation::Failed { error_type, message } = answer else { panic!("{event}: {answer:?}") };
        assert_eq!(error_type, "UnknownEvent");
        assert!(message.contains(words) && !message.contains("private"), "{message}");
    }
    function.stop().await;
    log.close();
    let mut errors = Vec::new();
    while let Some(line) = log.recv().await {
        assert!(!line.contains("Diagnostic") && !line.contains("private"), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        errors.extend((line["level"] == "ERROR").then_some(line));
    }
    assert_eq!(errors.len(), 2, "one line for each error: {errors:?}");
    assert!(errors.iter().all(|line| line["errorType"] == "UnknownEvent"), "{errors:?}");
    assert!(errors[0]["message"].as_str().unwrap().starts_with("the invocation failed: "), "{errors:?}");
}
