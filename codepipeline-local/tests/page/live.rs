//! Server-sent events.

use std::time::Duration;

use codepipeline_local::{Options, PageMode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pipelines::{approval, codepipeline, execution_view, start, started};
use crate::support::Scenario;

/// Reads events until one sets an item as wanted. Returns the keys that all of them set.
async fn keys_until(events: &mut crate::browser::Events, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut keys = Vec::new();
    loop {
        let data = events.items().await;
        assert_eq!(data["all"], false, "{data}");
        keys.extend(data["set"].as_object().unwrap().keys().cloned());
        if wanted(&data["set"]) {
            keys.sort_unstable();
            keys.dedup();
            return keys;
        }
    }
}

#[tokio::test]
async fn stream_sends_all_and_then_differences() {
    let scenario = Scenario::start().await;
    let (browser, first) = started(&scenario, &[approval()]).await;
    let asks = |items: &Value| items["action:Build/Ask"]["token"].is_string();
    browser.view_until(&execution_view(&first), asks).await;

    let mut list = browser.live("view=executions&pipeline=pipe").await;
    let mut detail = browser.live(&execution_view(&first)).await;
    let all = list.items().await;
    assert_eq!((&all["all"], &all["gone"]), (&true.into(), &json!([])));
    assert_eq!(all["set"], browser.view("view=executions&pipeline=pipe").await);
    let all = detail.items().await;
    assert_eq!(all["set"], browser.view(&execution_view(&first)).await);
    assert!(list.is_quiet().await && detail.is_quiet().await, "nothing changed");
    browser
        .call(
            "DisableStageTransition",
            &json!({
                "pipelineName": "pipe", "stageName": "Build", "transitionType": "Inbound", "reason": "wait",
            }),
        )
        .await;
    let set = list.items().await["set"].clone();
    assert_eq!(set.as_object().unwrap().keys().collect::<Vec<_>>(), [":pipeline"]);
    let set = detail.items().await["set"].clone();
    assert_eq!(set.as_object().unwrap().keys().collect::<Vec<_>>(), [":pipeline", "stage:1"]);

    let second = start(&browser).await;
    let has_revision = |set: &Value| set[&second]["revisions"][0].is_object();
    let mut changed = [":pipeline".to_owned(), second.clone()];
    changed.sort_unstable();
    assert_eq!(keys_until(&mut list, has_revision).await, changed);
    let total = |set: &Value| set[":pipeline"]["total"] == 2;
    assert_eq!(keys_until(&mut detail, total).await, [":pipeline"], "the first execution did not change");
}

#[tokio::test]
async fn polls_without_jobs_send_nothing() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    crate::pipelines::custom(&scenario).await;
    let mut events = browser.live("view=pipelines").await;
    events.items().await;
    let poll = json!({"actionTypeId": {"category": "Build", "owner": "Custom", "provider": "Maker", "version": "1"}});
    for _ in 0..20 {
        codepipeline(&browser, "PollForJobs", &poll).await;
    }
    assert!(events.is_quiet().await);
}

#[tokio::test]
async fn items_go_and_come() {
    let scenario = Scenario::start().await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let mut list = browser.live("view=pipelines").await;
    let mut detail = browser.live(&execution_view(&execution)).await;
    let mut other = browser.live("view=executions&pipeline=later").await;
    assert!(list.items().await["set"]["pipe"].is_object());
    detail.items().await;
    let (name, data) = other.next().await.unwrap();
    assert!(name == "missing" && data["message"].as_str().unwrap().contains("later"), "{name} {data}");

    codepipeline(&browser, "DeletePipeline", &json!({"name": "pipe"})).await;
    loop {
        let data = list.items().await;
        if data["gone"] == json!(["pipe"]) {
            break;
        }
        assert_eq!(data["gone"], json!([]));
    }
    loop {
        let (name, data) = detail.next().await.unwrap();
        if name == "missing" {
            assert!(data["message"].as_str().unwrap().contains("pipe"), "{data}");
            break;
        }
    }
    let pipeline = json!({
        "name": "later", "roleArn": "arn:aws:iam::123456789012:role/pipe",
        "artifactStore": {"type": "S3", "location": "artifact-store"},
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Source", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
                "configuration": {"S3Bucket": "source", "S3ObjectKey": "in.zip"}, "outputArtifacts": [{"name": "Source"}],
            }]},
            {"name": "Ask", "actions": [approval()]},
        ],
    });
    codepipeline(&browser, "CreatePipeline", &json!({"pipeline": pipeline})).await;
    let data = other.items().await;
    assert!(data["all"] == true && data["set"][":pipeline"]["name"] == "later", "{data}");
    assert!(detail.is_quiet().await, "missing is said once");
}

#[tokio::test]
async fn stream_ends_with_the_emulator() {
    let scenario = Scenario::start().await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let mut read = browser.live(&execution_view(&execution)).await;
    read.items().await;
    // This client reads nothing.
    let path = format!("/_/api/live?view=pipelines&token={}", browser.token);
    let unread = browser.send(http::Method::GET, &path, &[], "").await;
    let stopped = tokio::time::timeout(Duration::from_secs(10), scenario.emulator.stop()).await;
    assert!(stopped.is_ok(), "streams do not keep the emulator");
    while let Some((name, _)) = read.next().await {
        assert_eq!(name, "items");
    }
    assert!(tokio::time::timeout(Duration::from_secs(10), unread.into_body().collect()).await.is_ok());
}

#[tokio::test]
async fn stream_of_a_run_says_that_it_has_ended() {
    let scenario = Scenario::with(Options { page: PageMode::Run, ..Options::default() }).await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let mut read = browser.live(&execution_view(&execution)).await;
    read.items().await;
    scenario.emulator.stop().await;
    let mut last = None;
    while let Some((name, _)) = read.next().await {
        last = Some(name);
    }
    assert_eq!(last.as_deref(), Some("ended"));
}

#[tokio::test]
async fn page_reconnects_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let scenario = Scenario::with(options()).await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let mut before = browser.live(&execution_view(&execution)).await;
    before.items().await;
    scenario.emulator.stop().await;
    while before.next().await.is_some() {}

    let again = Scenario::with(options()).await;
    let after = Browser::of(&again.emulator);
    assert_eq!(after.token, browser.token, "the folder keeps the token");
    let all = after.live(&execution_view(&execution)).await.items().await;
    assert_eq!((&all["all"], &all["set"][":emulator"]["can_act"]), (&true.into(), &true.into()));
    assert_eq!(all["set"][":execution"]["status"], "Stopped", "a restart stops executions");
    again.emulator.stop().await;
    let other = Scenario::start().await;
    assert_ne!(Browser::of(&other.emulator).token, browser.token);
}
