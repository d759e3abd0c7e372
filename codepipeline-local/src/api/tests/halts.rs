//! A halted engine, which records results but starts nothing.

use super::provided::{build, code_build, runs};
use super::restarts::{Disk, result};
use super::*;

/// A halted emulator with a claimed job, and the ids of the job and the execution.
fn halted(actions: &Value) -> (Local, Value, String) {
    let mut settings = Settings::default();
    settings.provided.emulated.insert(code_build());
    let mut local = Disk::default().restore(settings, Timestamp(1_700_000_000_000));
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", actions));
    let execution = local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    local.engine.halt();
    (local, job, execution)
}

fn status(local: &mut Local, order: usize) -> Value {
    local.action("web", 1, order)["latestExecution"]["status"].clone()
}

#[test]
fn report_to_a_halted_engine_starts_nothing() {
    let (mut make, mut unit) = (build(), check("Lint", 3));
    (make["runOrder"], unit["inputArtifacts"]) = (json!(2), json!([]));
    let (mut local, job, execution) = halted(&json!([check("Unit", 1), make, unit]));
    local.call("PutJobSuccessResult", &result(&job));
    // Nothing times out either.
    local.wait(365 * 24 * 60 * 60);
    local.engine.advance(local.now);
    assert!(runs(&mut local).0.is_empty() && local.poll(1).is_empty());
    assert_eq!(local.status("web", &execution), "InProgress");
    let mut local = Disk::default().restart(local);
    assert_eq!(local.status("web", &execution), "Stopped");
    assert_eq!([status(&mut local, 0), status(&mut local, 1)], [json!("Succeeded"), Value::Null]);
}

#[test]
fn last_report_to_a_halted_engine_ends_the_execution() {
    let (mut local, job, execution) = halted(&json!([check("Unit", 1)]));
    local.call("PutJobSuccessResult", &result(&job));
    assert_eq!(local.status("web", &execution), "Succeeded");
}

#[test]
fn halted_engine_offers_no_jobs_and_retries_no_stage() {
    let (mut local, job, execution) = halted(&json!([check("Unit", 1), check("Lint", 1)]));
    assert!(local.poll(1).is_empty(), "the other job stays in the queue");
    let failed = json!({"type": "JobFailed", "message": "red"});
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": failed}));
    assert_eq!(local.status("web", &execution), "InProgress");

    let (mut local, job, execution) = halted(&json!([check("Unit", 1)]));
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": failed}));
    let stage = json!({
        "pipelineName": "web", "stageName": "Test", "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS",
    });
    assert_eq!(local.refused("RetryStageExecution", &stage).0, "ConflictException");
    assert_eq!(local.status("web", &execution), "Failed");
}
