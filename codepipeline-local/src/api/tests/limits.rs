//! How many executions of a pipeline may be in progress.

use super::*;

fn local(mode: &str) -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    input["pipeline"]["executionMode"] = mode.into();
    input["pipeline"]["pipelineType"] = "V2".into();
    local.call("CreatePipeline", &input);
    local
}

#[test]
fn at_most_fifty_executions_are_in_progress() {
    for mode in ["QUEUED", "PARALLEL"] {
        let mut local = local(mode);
        let executions = [(); 50].map(|()| local.start("web"));
        let (name, message) = local.refused("StartPipelineExecution", &json!({"name": "web"}));
        assert_eq!(name, "ConcurrentPipelineExecutionsLimitExceededException");
        assert!(message.contains("50") && message.contains(mode), "{message}");
        let last = json!({"pipelineName": "web", "pipelineExecutionId": executions[49], "abandon": true});
        local.call("StopPipelineExecution", &last);
        local.finish_sources(&found());
        local.start("web");
        assert_eq!(local.status("web", &executions[0]), "InProgress", "no execution was lost");
    }
}

#[test]
fn repeated_request_is_answered_at_the_limit() {
    let mut local = local("PARALLEL");
    let input = json!({"name": "web", "clientRequestToken": "once"});
    let first = local.call("StartPipelineExecution", &input);
    (1..50).for_each(|_| drop(local.start("web")));
    assert_eq!(local.call("StartPipelineExecution", &input), first);
}

#[test]
fn superseded_pipelines_have_no_limit() {
    let mut local = local("SUPERSEDED");
    (0..60).for_each(|_| drop(local.start("web")));
}

#[test]
fn retry_respects_the_limit() {
    let mut local = local("PARALLEL");
    let failed = local.start("web");
    local.finish_sources(&Err(SourceError::NotFound("NoSuchKey".to_owned())));
    let others = [(); 50].map(|()| local.start("web"));
    let retry = json!({
        "pipelineName": "web", "stageName": "Source", "pipelineExecutionId": failed, "retryMode": "FAILED_ACTIONS",
    });
    let (name, _) = local.refused("RetryStageExecution", &retry);
    assert_eq!(name, "ConcurrentPipelineExecutionsLimitExceededException");
    assert_eq!(local.status("web", &failed), "Failed");
    local.call(
        "StopPipelineExecution",
        &json!({"pipelineName": "web", "pipelineExecutionId": others[0], "abandon": true}),
    );
    local.call("RetryStageExecution", &retry);
    assert_eq!(local.status("web", &failed), "InProgress");
}
