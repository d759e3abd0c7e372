//! The reports of workers, without secrets.

use codepipeline_local::Options;
use codepipeline_local::providers::{Providers, Secrets};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pipelines::{codepipeline, custom, execution_view, job, start, started};
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
