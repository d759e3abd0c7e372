//! The story of one job, at INFO, and how the console's link and the failure's message lead to it.

use std::fmt::Write;

use codepipeline_local::runtime_api::Invocation;
use serde_json::Value;

use super::{of_jobs, read};
use crate::kills::lone::Lone;

/// Fields that are in every line about a job, or in every line.
const COMMON: [&str; 13] = [
    "timestamp",
    "level",
    "target",
    "message",
    "name",
    "jobId",
    "actionType",
    "pipeline",
    "pipelineExecutionId",
    "stage",
    "action",
    "requestId",
    "xrayTraceId",
];

/// One line for each line of the log that is not output or metrics: its level, its message and its own fields. A time differs in each
/// run, so it reads `…`.
fn story(lines: &[Value]) -> String {
    let mut story = String::new();
    for line in of_jobs(lines).filter(|line| line.get("stream").is_none() && line.get("_aws").is_none()) {
        write!(story, "{} {}", line["level"].as_str().unwrap(), line["message"].as_str().unwrap()).unwrap();
        for (field, value) in line.as_object().unwrap() {
            match field.as_str() {
                "actionExecutionId" => {}
                time if time.ends_with("Ms") => {
                    assert!(value.is_u64(), "{line}");
                    write!(story, " {field}=…").unwrap();
                }
                own if !COMMON.contains(&own) => write!(story, " {field}={value}").unwrap(),
                _ => {}
            }
        }
        story.push('\n');
    }
    story
}

/// Runs the command as a job. Returns the lines of the log, and the action's state.
async fn job(command: &str) -> (Vec<Value>, aws_sdk_codepipeline::types::ActionExecution) {
    let lone = Lone::start(command).await;
    lone.run().await;
    let function = lone.function(&[]);
    assert!(matches!(lone.tick(&function).await, Invocation::Answered(_)), "{}", lone.log());
    function.stop().await;
    let lines = read(&lone.lines.lock().unwrap());
    (lines, lone.world.action("p", "A").await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_the_story_of_a_job() {
    let (lines, action) = job(r#"cp small "$OUTPUT_OUT""#).await;
    let expected = "\
INFO CodePipeline offered the job
INFO claimed the job in the ledger
INFO acknowledged the job offerAgeMs=…
INFO staged in artifact=\"Source\" bytes=4 durationMs=… entries=1
INFO started the action
INFO the action ended durationMs=… exitCode=0 result=\"Succeeded\"
INFO staged out artifact=\"Out\" bytes=4 durationMs=… entries=1 exitCode=0
INFO reported exitCode=0 result=\"Succeeded\"
";
    assert_eq!(story(&lines), expected);
    let run = action.action_execution_id().unwrap();
    assert_eq!(action.external_execution_id(), Some(run));
    assert!(of_jobs(&lines).all(|line| line["actionExecutionId"] == run), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_ends_with_the_id_to_search_for() {
    let (lines, action) = job("echo run-7 > \"$EXTERNAL_EXECUTION_ID\"; seq 5000; exit 3").await;
    let expected = "\
INFO CodePipeline offered the job
INFO claimed the job in the ledger
INFO acknowledged the job offerAgeMs=…
INFO staged in artifact=\"Source\" bytes=4 durationMs=… entries=1
INFO started the action
INFO the action ended durationMs=… exitCode=3 result=\"Failed\"
WARN the job failed exitCode=3 externalExecutionId=\"run-7\" failureCode=\"CommandFailed\" failureReason=\"the command ended with \
exit code 3\" failureType=\"JobFailed\"
INFO reported exitCode=3 externalExecutionId=\"run-7\" failureCode=\"CommandFailed\" result=\"Failed\"
";
    assert_eq!(story(&lines), expected);
    let run = action.action_execution_id().unwrap();
    let message = action.error_details().unwrap().message().unwrap();
    assert!(message.ends_with(&format!("5000\n(search the log for {run})")), "{message}");
    assert_eq!((message.chars().count(), action.external_execution_id()), (5000, Some("run-7")));
}
