//! Stops, retries, approvals and disabled transitions.

use super::*;
use crate::engine::Leniency;

impl Local {
    fn stop(&mut self, execution: &str, abandon: bool) -> Result<Value, String> {
        let input = json!({
            "pipelineName": "web", "pipelineExecutionId": execution, "abandon": abandon, "reason": "a wrong turn",
        });
        self.try_call("StopPipelineExecution", &input).map_err(|(name, _)| name)
    }

    fn retry(&mut self, execution: &str, stage: &str, mode: &str) -> Result<Value, String> {
        let input = json!({
            "pipelineName": "web", "stageName": stage, "pipelineExecutionId": execution, "retryMode": mode,
        });
        self.try_call("RetryStageExecution", &input).map_err(|(name, _)| name)
    }

    fn stage(&mut self, index: usize) -> Value {
        self.call("GetPipelineState", &json!({"name": "web"}))["stageStates"][index].clone()
    }

    fn fail(&mut self, job: &Value) {
        let details = json!({"type": "JobFailed", "message": "red"});
        self.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": details}));
    }
}

#[test]
fn stop_waits_for_running_actions() {
    let (mut local, execution) = running(|_| {}, &json!([check("Unit", 1), check("Lint", 2)]));
    let job = local.claim();
    assert_eq!(local.stop(&execution, false).unwrap()["pipelineExecutionId"], json!(execution));
    assert_eq!(local.status("web", &execution), "Stopping");
    assert_eq!(local.stage(1)["latestExecution"]["status"], "Stopping");
    assert_eq!(local.stop(&execution, false).unwrap_err(), "DuplicatedStopRequestException");
    local.succeed(&job);
    assert_eq!(local.status("web", &execution), "Stopped");
    assert_eq!(local.stage(1)["latestExecution"]["status"], "Stopped");
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Succeeded");
    assert!(local.poll(5).is_empty(), "the next run order never starts");
    assert_eq!(local.stop(&execution, true).unwrap_err(), "PipelineExecutionNotStoppableException");
    let listed = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    assert_eq!(listed["pipelineExecutionSummaries"][0]["stopTrigger"]["reason"], "a wrong turn");
}

#[test]
fn continuations_run_while_an_execution_stops() {
    let (mut local, execution) = running(|_| {}, &json!([check("Unit", 1)]));
    let job = local.claim();
    local.stop(&execution, false).unwrap();
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "continuationToken": "more"}));
    local.wait(30);
    let next = local.claim();
    assert_eq!(local.status("web", &execution), "Stopping");
    local.succeed(&next);
    assert_eq!(local.status("web", &execution), "Stopped");
}

#[test]
fn abandonment_ends_actions_and_late_results_have_no_effect() {
    for (late, answer) in [(Leniency::Refuse, Err("InvalidJobStateException".to_owned())), (Leniency::Accept, Ok(()))] {
        let (mut local, execution) = running(|settings| settings.late_result = late, &json!([check("Unit", 1)]));
        let job = local.claim();
        local.stop(&execution, false).unwrap();
        local.stop(&execution, true).unwrap();
        assert_eq!(local.status("web", &execution), "Stopped");
        assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Abandoned");
        let result = json!({"jobId": job["id"], "continuationToken": "more"});
        assert_eq!(local.try_call("PutJobSuccessResult", &result).map(drop).map_err(|(name, _)| name), answer);
        local.wait(60);
        assert!(local.poll(5).is_empty());
        assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Abandoned");
    }
}

#[test]
fn waiting_execution_stops_at_once() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let second = local.start("web");
    local.finish_sources(&found());
    local.stop(&second, false).unwrap();
    assert_eq!(local.status("web", &second), "Stopped");
    assert!(local.stage(1).get("inboundExecution").is_none());
    assert_eq!(
        local.stop("00000000-0000-4000-8000-000000000000", false).unwrap_err(),
        "PipelineExecutionNotStoppableException"
    );
}

#[test]
fn retry_of_failed_actions_keeps_succeeded_ones() {
    let (mut local, execution) = running(|_| {}, &json!([check("A", 1), check("B", 1), check("C", 2)]));
    let jobs = local.poll(5);
    jobs.iter().for_each(|job| assert_eq!(local.acknowledge(job).unwrap(), "InProgress"));
    local.fail(&jobs[0]);
    local.succeed(&jobs[1]);
    assert_eq!(local.status("web", &execution), "Failed");
    let failed = local.action("web", 1, 0)["latestExecution"]["actionExecutionId"].clone();
    assert_eq!(local.retry(&execution, "Test", "FAILED_ACTIONS").unwrap()["pipelineExecutionId"], json!(execution));
    assert_eq!(local.status("web", &execution), "InProgress");
    let again = local.claim();
    assert!(local.poll(5).is_empty(), "a succeeded action does not run again");
    let context = &again["data"]["pipelineContext"];
    assert_eq!((&context["action"]["name"], &context["pipelineExecutionId"]), (&json!("A"), &json!(execution)));
    assert_ne!(context["action"]["actionExecutionId"], failed);
    local.succeed(&again);
    let last = local.claim();
    assert_eq!(last["data"]["pipelineContext"]["action"]["name"], "C");
    local.succeed(&last);
    assert_eq!(local.status("web", &execution), "Succeeded");
}

#[test]
fn retry_of_all_actions_restarts_the_stage() {
    let (mut local, execution) = running(|_| {}, &json!([check("A", 1), check("B", 2)]));
    let first = local.claim();
    local.succeed(&first);
    local.claim();
    local.stop(&execution, true).unwrap();
    local.retry(&execution, "Test", "ALL_ACTIONS").unwrap();
    let again = local.claim();
    assert_eq!(again["data"]["pipelineContext"]["action"]["name"], "A");
}

#[test]
fn impossible_retry_is_refused_with_the_reason() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    let retry = |local: &mut Local, id: &str, stage: &str| local.retry(id, stage, "ALL_ACTIONS").unwrap_err();
    assert_eq!(retry(&mut local, &first, "Nowhere"), "StageNotFoundException");
    assert_eq!(retry(&mut local, &first, "Test"), "StageNotRetryableException");
    let job = local.claim();
    local.fail(&job);
    assert_eq!(retry(&mut local, &first, "Source"), "StageNotRetryableException");
    assert_eq!(
        retry(&mut local, "00000000-0000-4000-8000-000000000000", "Test"),
        "NotLatestPipelineExecutionException"
    );
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    assert_eq!(retry(&mut local, &first, "Test"), "StageNotRetryableException");
    local.start("web");
    local.finish_sources(&found());
    assert_eq!(retry(&mut local, &first, "Test"), "NotLatestPipelineExecutionException");
}

#[test]
fn older_parallel_execution_can_be_retried() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    input["pipeline"]["executionMode"] = "PARALLEL".into();
    input["pipeline"]["pipelineType"] = "V2".into();
    local.call("CreatePipeline", &input);
    let older = local.start("web");
    local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    assert_eq!(job["data"]["pipelineContext"]["pipelineExecutionId"], json!(older));
    local.fail(&job);
    local.retry(&older, "Test", "FAILED_ACTIONS").unwrap();
    assert_eq!(local.status("web", &older), "InProgress");
}

#[test]
fn disabled_transition_holds_executions_until_enabled() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    let job = local.claim();
    local.succeed(&job);
    assert_eq!(local.status("web", &first), "Succeeded");
    let inbound = |stage: &str, kind: &str| json!({"pipelineName": "web", "stageName": stage, "transitionType": kind});
    let mut disable = inbound("Source", "Outbound");
    disable["reason"] = "freeze!".into();
    local.call("DisableStageTransition", &disable);
    let transition = local.stage(1)["inboundTransitionState"].clone();
    assert_eq!((&transition["enabled"], &transition["disabledReason"]), (&json!(false), &json!("freeze!")));
    let older = local.start("web");
    local.finish_sources(&found());
    let newer = local.start("web");
    local.finish_sources(&found());
    assert!(local.poll(5).is_empty());
    assert_eq!(local.status("web", &older), "Superseded");
    assert_eq!(local.stage(1)["inboundExecution"]["pipelineExecutionId"], json!(newer));
    local.call("EnableStageTransition", &inbound("Test", "Inbound"));
    assert_eq!(local.stage(1)["inboundTransitionState"], json!({"enabled": true}));
    assert_eq!(local.claim()["data"]["pipelineContext"]["pipelineExecutionId"], json!(newer));
    assert_eq!(local.refused("EnableStageTransition", &inbound("No", "Inbound")).0, "StageNotFoundException");
    assert!(local.refused("EnableStageTransition", &inbound("Test", "Outbound")).1.contains("last"));
}

fn approval() -> Value {
    json!({
        "name": "Ask", "runOrder": 1, "timeoutInMinutes": 10,
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        "configuration": {"CustomData": "look at it", "ExternalEntityLink": "https://review/1"},
    })
}

fn decision(token: &Value, status: &str) -> Value {
    json!({
        "pipelineName": "web", "stageName": "Test", "actionName": "Ask", "token": token,
        "result": {"status": status, "summary": "by the lead"},
    })
}

#[test]
fn approval_starts_the_next_action() {
    let (mut local, execution) = running(|_| {}, &json!([approval(), check("Unit", 2)]));
    let state = local.action("web", 1, 0);
    assert_eq!(state["entityUrl"], "https://review/1");
    let token = state["latestExecution"]["token"].clone();
    let wrong = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(local.refused("PutApprovalResult", &decision(&wrong, "Approved")).0, "InvalidApprovalTokenException");
    let mut elsewhere = decision(&token, "Approved");
    elsewhere["actionName"] = "Unit".into();
    assert_eq!(local.refused("PutApprovalResult", &elsewhere).0, "ActionNotFoundException");
    assert!(local.poll(5).is_empty());
    assert!(local.call("PutApprovalResult", &decision(&token, "Approved"))["approvedAt"].is_number());
    let latest = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!((&latest["status"], &latest["summary"]), (&json!("Succeeded"), &json!("by the lead")));
    assert!(latest.get("token").is_none());
    assert_eq!(
        local.refused("PutApprovalResult", &decision(&token, "Rejected")).0,
        "ApprovalAlreadyCompletedException"
    );
    let job = local.claim();
    local.succeed(&job);
    assert_eq!(local.status("web", &execution), "Succeeded");
}

#[test]
fn rejected_or_late_approval_fails_and_can_be_retried() {
    let (mut local, execution) = running(|_| {}, &json!([approval()]));
    let token = local.action("web", 1, 0)["latestExecution"]["token"].clone();
    local.call("PutApprovalResult", &decision(&token, "Rejected"));
    assert_eq!(local.status("web", &execution), "Failed");
    local.retry(&execution, "Test", "FAILED_ACTIONS").unwrap();
    local.wait(600);
    assert_eq!(local.status("web", &execution), "Failed");
    let message = local.action("web", 1, 0)["latestExecution"]["errorDetails"]["message"].clone();
    assert!(message.as_str().unwrap().contains("600s"), "{message}");
}

#[test]
fn update_cancels_executions_if_set() {
    let (mut local, execution) = running(|settings| settings.cancel_on_update = true, &json!([check("Unit", 1)]));
    let job = local.claim();
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    assert_eq!(local.status("web", &execution), "InProgress", "the structure is the same");
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    assert_eq!(local.status("web", &execution), "Cancelled");
    assert_eq!(local.refused("PutJobSuccessResult", &json!({"jobId": job["id"]})).0, "InvalidJobStateException");
}
