//! The reports of workers, without secrets.

use codepipeline_local::Options;
use codepipeline_local::providers::{Providers, Secrets};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pipelines::{approval, codepipeline, custom, execution_view, job, start, started};
use crate::support::Scenario;

/// An emulator whose user has the secret `hunter2`.
async fn scenario() -> Scenario {
    let mut providers = Providers::default();
    providers.secrets(Secrets::new([("key".to_owned(), "hunter2".to_owned().into())]));
    Scenario::with(Options { providers, ..Options::default() }).await
}

/// Takes the job of `Make` as its worker. Returns the job's id, and the query of the action's view.
async fn taken(browser: &Browser) -> (Value, String) {
    let job = job(browser).await;
    codepipeline(browser, "AcknowledgeJob", &json!({"jobId": job["id"], "nonce": job["nonce"]})).await;
    let id = job["data"]["pipelineContext"]["action"]["actionExecutionId"].as_str().unwrap().to_owned();
    (job["id"].clone(), format!("view=action&action={id}"))
}

/// Checks that no view has a secret.
async fn shown_nowhere(browser: &Browser, execution: &str, action: &str) {
    for query in ["view=pipelines", "view=executions&pipeline=pipe", &execution_view(execution), action] {
        let shown = browser.view(query).await.to_string();
        assert!(!shown.contains("MARKER") && !shown.contains("hunter2"), "{query}: {shown}");
    }
}

#[tokio::test]
async fn reports_of_success_are_masked() {
    let scenario = scenario().await;
    let make = custom(&scenario).await;
    let (browser, execution) = started(&scenario, &[make]).await;
    let (job, query) = taken(&browser).await;
    let details = json!({"summary": "used MARKER and hunter2", "externalExecutionId": "MARKER"});
    let variables = json!({"Token": "MARKER", "Plain": "level 2"});
    let done = json!({"jobId": job, "executionDetails": details, "outputVariables": variables});
    codepipeline(&browser, "PutJobSuccessResult", &done).await;

    let action = browser.view(&query).await[":action"].clone();
    for (name, value) in [
        ("status", json!("Succeeded")),
        ("summary", json!("used **** and ***")),
        ("external_id", json!("****")),
        ("external_url", json!("https://ci.example/level-1/****")),
        ("variables", json!({"Token": "****", "Plain": "level 2"})),
    ] {
        assert_eq!(action[name], value, "{name}");
    }
    shown_nowhere(&browser, &execution, &query).await;
}

#[tokio::test]
async fn reports_of_failure_are_masked() {
    let scenario = scenario().await;
    let make = custom(&scenario).await;
    let (browser, first) = started(&scenario, &[make]).await;
    let (job, query) = taken(&browser).await;
    let failure = json!({"type": "JobFailed", "message": "MARKER and hunter2 were refused"});
    codepipeline(&browser, "PutJobFailureResult", &json!({"jobId": job, "failureDetails": failure})).await;

    let action = browser.view(&query).await[":action"].clone();
    assert_eq!(action["error"], json!({"code": "JobFailed", "message": "**** and *** were refused"}));
    // A later execution that has not failed changes nothing.
    start(&browser).await;
    let listed = browser.view("view=executions&pipeline=pipe").await;
    let summary = listed[&first]["summary"].as_str().unwrap();
    assert!(summary.contains("**** and *** were refused"), "{summary}");
    shown_nowhere(&browser, &first, &query).await;
}

#[tokio::test]
async fn reason_to_stop_is_masked_in_summaries() {
    let scenario = scenario().await;
    let make = custom(&scenario).await;
    let (browser, execution) = started(&scenario, &[make]).await;
    let (_, query) = taken(&browser).await;
    let stop = json!({"pipelineName": "pipe", "pipelineExecutionId": execution, "reason": "because of MARKER", "abandon": true});
    codepipeline(&browser, "StopPipelineExecution", &stop).await;
    let listed = browser.view("view=executions&pipeline=pipe").await;
    assert_eq!(listed[&execution]["summary"], "because of ****");
    shown_nowhere(&browser, &execution, &query).await;
}

#[tokio::test]
async fn secrets_of_later_actions_and_their_variables_are_masked() {
    let scenario = scenario().await;
    let mut make = custom(&scenario).await;
    make["configuration"]["Job"] = "MARKER-job".into();
    make["configuration"]["Password"] = "level-#{variables.Level}".into();
    make["runOrder"] = 2.into();
    let (browser, first) = started(&scenario, &[approval(), make]).await;
    let given = json!({"name": "pipe", "variables": [{"name": "Level", "value": "MARKER"}]});
    let waits = |items: &Value| items["action:Build/Ask"]["token"].is_string();
    browser.view_until(&execution_view(&first), waits).await;
    let stop = json!({"pipelineName": "pipe", "pipelineExecutionId": first, "reason": "hunter2", "abandon": true});
    codepipeline(&browser, "StopPipelineExecution", &stop).await;

    let started = codepipeline(&browser, "StartPipelineExecution", &given).await;
    let execution = started["pipelineExecutionId"].as_str().unwrap().to_owned();
    let view = browser.view_until(&execution_view(&execution), waits).await;
    assert_eq!(view[":execution"]["variables"], json!([{"name": "Level", "value": "****"}]));
    let variable = json!([{"name": "Level", "description": "How much", "secret": true}]);
    assert_eq!(view[":pipeline"]["variables"], variable);
    let ask = &view["action:Build/Ask"];
    let result = json!({"status": "Rejected", "summary": "level-MARKER is wrong"});
    let answer = json!({
        "pipelineName": "pipe", "stageName": "Build", "actionName": "Ask", "token": ask["token"], "result": result,
    });
    codepipeline(&browser, "PutApprovalResult", &answer).await;
    let query = format!("view=action&action={}", ask["id"].as_str().unwrap());
    shown_nowhere(&browser, &execution, &query).await;
}

#[tokio::test]
async fn revisions_and_reasons_are_masked() {
    let scenario = scenario().await;
    let browser = Browser::of(&scenario.emulator);
    let counts = |number: u8| json!({"minimumCount": number, "maximumCount": number});
    let token = json!({"name": "Token", "required": true, "key": false, "secret": true});
    let created = json!({
        "category": "Source", "provider": "Repository", "version": "1", "configurationProperties": [token],
        "inputArtifactDetails": counts(0), "outputArtifactDetails": counts(1),
    });
    codepipeline(&browser, "CreateCustomActionType", &created).await;
    let id = json!({"category": "Source", "owner": "Custom", "provider": "Repository", "version": "1"});
    let source = json!({
        "name": "Code", "actionTypeId": id, "configuration": {"Token": "MARKER"}, "outputArtifacts": [{"name": "Code"}],
    });
    let pipeline = json!({
        "name": "pipe", "roleArn": "arn:aws:iam::123456789012:role/pipe",
        "artifactStore": {"type": "S3", "location": "artifact-store"},
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [approval()]}],
    });
    codepipeline(&browser, "CreatePipeline", &json!({"pipeline": pipeline})).await;
    let disabled = json!({
        "pipelineName": "pipe", "stageName": "Build", "transitionType": "Inbound", "reason": "until hunter2 is new",
    });
    codepipeline(&browser, "DisableStageTransition", &disabled).await;
    let execution = start(&browser).await;

    let job = codepipeline(&browser, "PollForJobs", &json!({"actionTypeId": id})).await["jobs"][0].take();
    codepipeline(&browser, "AcknowledgeJob", &json!({"jobId": job["id"], "nonce": job["nonce"]})).await;
    let revision = json!({"revision": "MARKER-1", "changeIdentifier": "1", "revisionSummary": "hunter2 is gone"});
    codepipeline(&browser, "PutJobSuccessResult", &json!({"jobId": job["id"], "currentRevision": revision})).await;

    let view = browser.view(&execution_view(&execution)).await;
    let shown = &view[":execution"]["revisions"][0];
    assert_eq!((&shown["id"], &shown["summary"]), (&json!("****-1"), &json!("*** is gone")));
    assert_eq!(view["stage:1"]["transition"]["reason"], "until *** is new");
    let action = view["action:Source/Code"]["id"].as_str().unwrap();
    let query = format!("view=action&action={action}");
    let artifact = browser.view(&query).await[":action"]["outputs"][0].clone();
    assert_eq!(artifact["revision"], "****-1");
    shown_nowhere(&browser, &execution, &query).await;
}

#[tokio::test]
async fn summary_of_a_skipped_action_is_readable() {
    let mut providers = Providers::default();
    providers.skip("Ship");
    let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
    let ship = json!({
        "name": "Ship", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"},
        "configuration": {"ClusterName": "skipped", "Level": "e", "PinToken": "p", "ApiToken": "MARKER"},
    });
    let (browser, execution) = started(&scenario, &[ship]).await;
    let is_done = |items: &Value| items["action:Build/Ship"]["summary"] == "skipped";
    let items = browser.view_until(&execution_view(&execution), is_done).await;
    let id = items["action:Build/Ship"]["id"].as_str().unwrap();
    let action = browser.view(&format!("view=action&action={id}")).await[":action"].clone();
    let shown = json!({"ClusterName": "skipped", "Level": "e", "PinToken": "****", "ApiToken": "****"});
    assert_eq!(action["resolved"], shown);
}
