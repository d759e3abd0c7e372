//! Members that replies have only in some states.

use super::*;

const USER: &str = "arn:aws:iam::123456789012:root";

fn approval() -> Value {
    json!({
        "name": "Ask", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    })
}

/// The execution as both operations show it.
fn execution(local: &mut Local, id: &str) -> Value {
    let input = json!({"pipelineName": "web", "pipelineExecutionId": id});
    let shown = local.call("GetPipelineExecution", &input)["pipelineExecution"].clone();
    let listed = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    let listed = listed["pipelineExecutionSummaries"].as_array().unwrap();
    let listed = listed.iter().find(|listed| listed["pipelineExecutionId"] == id).unwrap();
    for member in ["status", "statusSummary", "trigger"] {
        assert_eq!(shown.get(member), listed.get(member));
    }
    shown
}

#[test]
fn failed_execution_names_its_failed_action() {
    let (mut local, id) = running(|_| {}, &json!([check("Unit", 1)]));
    assert_eq!(execution(&mut local, &id).get("statusSummary"), None);
    let job = local.claim();
    let details = json!({"type": "JobFailed", "message": "3 of 12 tests failed"});
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": details}));
    let failed = execution(&mut local, &id);
    assert_eq!(failed["statusSummary"], "Action 'Unit' in stage 'Test' failed: 3 of 12 tests failed");
}

#[test]
fn ended_execution_names_the_reason() {
    let (mut local, first) = running(|settings| settings.cancel_on_update = true, &json!([check("Unit", 1)]));
    let second = local.start("web");
    local.finish_sources(&found());
    let third = local.start("web");
    local.finish_sources(&found());
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": first, "abandon": true, "reason": "wrong branch"});
    local.call("StopPipelineExecution", &stop);
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    for (id, status, summary) in [
        (first, "Stopped", "wrong branch"),
        (second, "Superseded", "newer execution"),
        (third, "Cancelled", "definition was updated"),
    ] {
        let ended = execution(&mut local, &id);
        assert_eq!(ended["status"], status);
        assert!(ended["statusSummary"].as_str().unwrap().contains(summary), "{ended}");
    }
}

#[test]
fn approval_names_its_user() {
    let (mut local, _) = running(|_| {}, &json!([approval()]));
    let waiting = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!(waiting["lastUpdatedBy"], USER);
    assert_eq!(local.action("web", 0, 0)["latestExecution"].get("lastUpdatedBy"), None);
    let result = json!({"status": "Approved", "summary": "fine"});
    let input = json!({
        "pipelineName": "web", "stageName": "Test", "actionName": "Ask", "result": result, "token": waiting["token"],
    });
    local.call("PutApprovalResult", &input);
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["lastUpdatedBy"], USER);
    let listed = local.call("ListActionExecutions", &json!({"pipelineName": "web"}));
    let updated_by = |index: usize| listed["actionExecutionDetails"][index].get("updatedBy").cloned();
    assert_eq!((updated_by(0), updated_by(1)), (Some(USER.into()), None));
}

#[test]
fn abandoned_action_names_its_user() {
    let (mut local, id) = running(|_| {}, &json!([check("Unit", 1)]));
    local.call("StopPipelineExecution", &json!({"pipelineName": "web", "pipelineExecutionId": id, "abandon": true}));
    let listed = local.call("ListActionExecutions", &json!({"pipelineName": "web"}));
    assert_eq!(listed["actionExecutionDetails"][0]["updatedBy"], USER);
}

#[test]
fn s3_revision_summary_names_the_version() {
    let (mut local, id) = running(|_| {}, &json!([check("Unit", 1)]));
    let revision = execution(&mut local, &id)["artifactRevisions"][0].clone();
    assert_eq!(revision["revisionSummary"], "Amazon S3 version id: v1");
    assert_eq!((&revision["revisionId"], &revision["revisionChangeIdentifier"]), (&json!("v1"), &json!("abc")));
    assert_eq!(revision["created"], 1_700_000_000.0);
}

#[test]
fn stage_filter_needs_the_current_version() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    let filter = |stage: &str| json!({"pipelineName": "web", "filter": {"succeededInStage": {"stageName": stage}}});
    let succeeded = |local: &mut Local, stage: &str| {
        let listed = local.call("ListPipelineExecutions", &filter(stage));
        listed["pipelineExecutionSummaries"].as_array().unwrap().len()
    };
    assert_eq!((succeeded(&mut local, "Source"), succeeded(&mut local, "Test")), (1, 0));
    let job = local.claim();
    local.succeed(&job);
    assert_eq!(local.status("web", &first), "Succeeded");
    assert_eq!((succeeded(&mut local, "Test"), succeeded(&mut local, "Nowhere")), (1, 0));
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Unit", 1), check("Lint", 2)])));
    assert_eq!(succeeded(&mut local, "Test"), 0);
}
