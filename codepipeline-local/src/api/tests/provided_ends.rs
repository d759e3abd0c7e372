//! Ends of runs: deadlines, stops, updates, deletions, retries and restarts.

use super::provided::{build, building, code_build, one_run, runs};
use super::restarts::Disk;
use super::*;
use crate::engine::{Done, Failed};

fn ends(local: &mut Local, expected: crate::engine::RunId) {
    let (asked, ended) = runs(local);
    assert!(asked.is_empty());
    assert_eq!(ended, [expected]);
    // The result of a run that was ended comes too late.
    local.engine.run_finished(local.now, expected, Ok(Done::default()));
}

#[test]
fn deadline_ends_the_run() {
    let hour = Duration::from_secs(3600);
    let (mut local, execution) = building(|settings| settings.action_timeout = hour, &json!([build()]));
    let (run, _) = one_run(&mut local);
    local.wait(3600);
    local.engine.advance(local.now);
    ends(&mut local, run);
    let state = local.action("web", 1, 0)["latestExecution"].clone();
    assert!(state["errorDetails"]["message"].as_str().unwrap().contains("did not finish within"), "{state}");
    assert_eq!(local.status("web", &execution), "Failed");
}

#[test]
fn only_an_abandoning_stop_ends_the_run() {
    let (mut local, execution) = building(|_| {}, &json!([build()]));
    let (run, _) = one_run(&mut local);
    let stop = |abandon: bool| json!({"pipelineName": "web", "pipelineExecutionId": execution, "abandon": abandon});
    local.call("StopPipelineExecution", &stop(false));
    assert_eq!(runs(&mut local).1, []);
    local.call("StopPipelineExecution", &stop(true));
    ends(&mut local, run);
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Abandoned");
    assert_eq!(local.status("web", &execution), "Stopped");
}

#[test]
fn update_and_deletion_end_the_run() {
    for delete in [false, true] {
        let (mut local, _) = building(|settings| settings.cancel_on_update = true, &json!([build()]));
        let (run, _) = one_run(&mut local);
        if delete {
            local.call("DeletePipeline", &json!({"name": "web"}));
        } else {
            local.call("UpdatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
        }
        ends(&mut local, run);
    }
}

#[test]
fn retry_of_a_stage_runs_the_action_again() {
    let (mut local, execution) = building(|_| {}, &json!([build()]));
    let (first, _) = one_run(&mut local);
    local.engine.run_finished(local.now, first, Err(Failed::job("red")));
    let stage = json!({
        "pipelineName": "web", "stageName": "Test", "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS",
    });
    local.call("RetryStageExecution", &stage);
    let (second, _) = one_run(&mut local);
    assert_ne!(first, second);
    local.engine.run_finished(local.now, first, Err(Failed::job("late")));
    local.engine.run_finished(local.now, second, Ok(Done::default()));
    assert_eq!(local.status("web", &execution), "Succeeded");
}

/// A pipeline with a build, in an emulator that keeps its state.
fn kept() -> (Disk, Local) {
    let mut settings = Settings::default();
    settings.provided.emulated.insert(code_build());
    let disk = Disk::default();
    let mut local = disk.restore(settings, Timestamp(1_700_000_000_000));
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([build()])));
    (disk, local)
}

#[test]
fn restart_abandons_the_run() {
    let (mut disk, mut local) = kept();
    local.start("web");
    local.finish_sources(&found());
    let (run, _) = one_run(&mut local);
    let mut local = disk.restart(local);
    assert!(runs(&mut local).0.is_empty());
    local.engine.run_finished(local.now, run, Ok(Done::default()));
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Abandoned");
}

#[test]
fn later_run_without_the_provider_names_the_flags() {
    let (mut disk, mut local) = kept();
    disk.keep(&mut local);
    let mut local = disk.restore(Settings::default(), local.now);
    let execution = local.start("web");
    local.finish_sources(&found());
    assert_eq!(local.status("web", &execution), "Failed");
    let state = local.action("web", 1, 0)["latestExecution"].clone();
    let message = state["errorDetails"]["message"].as_str().unwrap();
    assert!(message.contains("--run-commands") && message.contains("--skip Make"), "{message}");
}
