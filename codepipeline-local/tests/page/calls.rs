//! The buttons.

use http::Method;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pipelines::{approval, execution_view as query, started};
use crate::support::Scenario;

/// A pipeline whose second stage asks for an approval, and its execution.
async fn asking() -> (Scenario, Browser, String) {
    let scenario = Scenario::start().await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    (scenario, browser, execution)
}

async fn waits_for_approval(browser: &Browser, execution: &str) -> Value {
    let items = browser.view_until(&query(execution), |items| items["action:Build/Ask"]["token"].is_string()).await;
    items["action:Build/Ask"].clone()
}

/// The input of a start of the pipeline.
fn start() -> Value {
    json!({"name": "pipe"})
}

fn answer(token: &Value, status: &str, summary: &str) -> Value {
    let result = json!({"status": status, "summary": summary});
    json!({"pipelineName": "pipe", "stageName": "Build", "actionName": "Ask", "token": token, "result": result})
}

#[tokio::test]
async fn page_starts_stops_approves_and_retries() {
    let (_scenario, browser, execution) = asking().await;
    let action = waits_for_approval(&browser, &execution).await;
    assert_eq!(action["approval"], json!({"data": "Ship it?", "url": "https://example.com/1"}));

    let rejected = browser.call("PutApprovalResult", &answer(&action["token"], "Rejected", "no <b>")).await;
    assert!(rejected.status == 200 && rejected.json()["approvedAt"].is_number(), "{:?}", rejected.body);
    let failed = browser.view_until(&query(&execution), |items| items[":execution"]["status"] == "Failed").await;
    assert_eq!(failed["action:Build/Ask"]["summary"], "no <b>");
    assert_eq!((&failed["stage:1"]["can_retry"], &failed["stage:0"]["can_retry"]), (&true.into(), &false.into()));

    let retry = json!({
        "pipelineName": "pipe", "stageName": "Build", "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS",
    });
    let retried = browser.call("RetryStageExecution", &retry).await;
    assert_eq!(retried.json(), json!({"pipelineExecutionId": execution}));
    let again = waits_for_approval(&browser, &execution).await;
    assert_eq!(again["attempts"], json!([action["id"], again["id"]]));
    let approved = browser.call("PutApprovalResult", &answer(&again["token"], "Approved", "yes")).await;
    assert_eq!(approved.status, 200);
    let done = browser.view_until(&query(&execution), |items| items[":execution"]["status"] == "Succeeded").await;
    assert_eq!((&done["stage:1"]["retries"], &done["stage:1"]["can_retry"]), (&1.into(), &false.into()));

    let started = browser.call("StartPipelineExecution", &start()).await;
    let second = started.json()["pipelineExecutionId"].as_str().unwrap().to_owned();
    waits_for_approval(&browser, &second).await;
    let stop = json!({"pipelineName": "pipe", "pipelineExecutionId": second, "abandon": true, "reason": "enough"});
    assert_eq!(browser.call("StopPipelineExecution", &stop).await.status, 200);
    let stopped = browser.view_until(&query(&second), |items| items[":execution"]["status"] == "Stopped").await;
    assert_eq!(stopped[":execution"]["stop_reason"], "enough");
}

#[tokio::test]
async fn page_disables_and_enables_transitions() {
    let (_scenario, browser, execution) = asking().await;
    waits_for_approval(&browser, &execution).await;
    let disable = json!({"pipelineName": "pipe", "stageName": "Build", "transitionType": "Inbound", "reason": "wait"});
    let disabled = browser.call("DisableStageTransition", &disable).await;
    assert_eq!((disabled.status, disabled.json()), (200, json!({})), "CodePipeline's own reply is empty");
    let items = browser.view("view=executions&pipeline=pipe").await;
    let transitions = &items[":pipeline"]["transitions"];
    assert_eq!(transitions["Source"], json!({"enabled": true}));
    assert_eq!((&transitions["Build"]["enabled"], &transitions["Build"]["reason"]), (&false.into(), &"wait".into()));
    assert!(transitions["Build"]["at"].is_u64() && transitions["Build"]["by"].is_string());

    let second = browser.call("StartPipelineExecution", &start()).await.json()["pipelineExecutionId"].clone();
    let second = second.as_str().unwrap();
    let waiting = browser.view_until(&query(second), |items| items["stage:1"]["waiting"] == true).await;
    assert_eq!(waiting["stage:1"]["transition"], transitions["Build"]);
    assert_eq!(waiting["stage:1"].get("status"), None, "it has not entered the stage");
    let enable = json!({"pipelineName": "pipe", "stageName": "Build", "transitionType": "Inbound"});
    assert_eq!(browser.call("EnableStageTransition", &enable).await.status, 200);
    let stop = json!({"pipelineName": "pipe", "pipelineExecutionId": execution, "abandon": true});
    assert_eq!(browser.call("StopPipelineExecution", &stop).await.status, 200);
    waits_for_approval(&browser, second).await;
}

#[tokio::test]
async fn unsafe_calls_are_refused() {
    let (scenario, browser, _) = asking().await;
    let (host, token) = (&browser.host, &browser.token);
    let own = format!("http://{host}");
    let json = "application/json";
    let before = browser.view("view=executions&pipeline=pipe").await[":pipeline"]["total"].clone();
    for (operation, query, origin, kind, status) in [
        ("StartPipelineExecution", String::new(), &*own, json, 403),
        ("StartPipelineExecution", "token=wrong".to_owned(), &own, json, 403),
        ("StartPipelineExecution", format!("token={token}"), "http://evil.example", json, 403),
        ("StartPipelineExecution", format!("token={token}"), "null", json, 403),
        ("StartPipelineExecution", format!("token={token}"), "http://localhost:1", json, 403),
        ("StartPipelineExecution", format!("token={token}"), &own, "text/plain", 415),
        ("StartPipelineExecution", format!("token={token}"), &own, "application/x-www-form-urlencoded", 415),
        ("DeletePipeline", format!("token={token}"), &own, json, 404),
        ("CreatePipeline", format!("token={token}"), &own, json, 404),
        ("GetJobDetails", format!("token={token}"), &own, json, 404),
        ("", format!("token={token}"), &own, json, 404),
    ] {
        let path = format!("/_/api/call/{operation}?{query}");
        let headers = [("origin", origin), ("content-type", kind)];
        let reply = browser.reply(Method::POST, &path, &headers, &start().to_string()).await;
        assert_eq!(reply.status, status, "{operation} {query} {origin} {kind}: {:?}", reply.body);
        assert!(!reply.message().is_empty() && !reply.message().contains(token.as_str()));
    }
    let path = format!("/_/api/call/StartPipelineExecution?token={token}");
    let no_origin = browser.reply(Method::POST, &path, &[("content-type", json)], "{}").await;
    assert!(no_origin.status == 403 && no_origin.message().contains("Origin"), "{:?}", no_origin.body);
    assert_eq!(browser.get(&path).await.status, 405, "a link or an image sends GET");
    let same_site = [("origin", &*own), ("content-type", json), ("sec-fetch-site", "same-site")];
    assert_eq!(browser.reply(Method::POST, &path, &same_site, "{}").await.status, 403);
    assert_eq!(browser.view("view=executions&pipeline=pipe").await[":pipeline"]["total"], before);
    assert!(!scenario.emulator.operations().contains(&"DeletePipeline".to_owned()));
}

#[tokio::test]
async fn wrong_input_gets_codepipelines_message() {
    let (_scenario, browser, _) = asking().await;
    for (input, named) in [
        (json!({"name": "other"}), "other"),
        (json!({}), "name"),
        (json!({"name": "pipe", "variables": [{"name": "none", "value": "x"}]}), "none"),
    ] {
        let refused = browser.call("StartPipelineExecution", &input).await;
        assert!(refused.status == 400 && refused.message().contains(named), "{input}: {:?}", refused.body);
    }
    let path = format!("/_/api/call/StartPipelineExecution?token={}", browser.token);
    let headers = [("origin", &*format!("http://{}", browser.host)), ("content-type", "application/json")];
    let broken = browser.reply(Method::POST, &path, &headers, "{").await;
    assert!(broken.status == 400 && broken.message().contains("JSON"), "{:?}", broken.body);
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20));
    let huge = browser.reply(Method::POST, &path, &headers, &huge).await;
    assert!(huge.status == 413 && huge.message().contains("1048576"), "{:?}", huge.body);
}
