//! The timeline and the log of an action.

use std::sync::Arc;
use std::time::Duration;

use codepipeline_local::Options;
use codepipeline_local::providers::{ActionTypeId, Providers, StandIn};
use serde_json::{Value, json};

use crate::browser::{Browser, Events};
use crate::pipelines::{codepipeline, custom, execution_view, job, started};
use crate::support::Scenario;

/// Reads events until the log has as many lines. Returns their texts, and checks their numbers.
async fn lines(events: &mut Events, count: usize) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    while texts.len() < count {
        let (name, data) = events.next().await.unwrap();
        if name != "log" {
            continue;
        }
        assert_eq!((&data["first"], &data["dropped"]), (&(texts.len() + 1).into(), &0.into()));
        for line in data["lines"].as_array().unwrap() {
            assert!(line["at"].is_u64() && line["from"] == "Ship", "{line}");
            texts.push(line["text"].as_str().unwrap().to_owned());
        }
    }
    texts
}

#[tokio::test]
async fn timeline_has_each_step_of_a_continued_job() {
    let scenario = Scenario::start().await;
    let make = custom(&scenario).await;
    let (browser, _) = started(&scenario, &[make]).await;
    let first = job(&browser).await;
    let id = first["data"]["pipelineContext"]["action"]["actionExecutionId"].as_str().unwrap().to_owned();
    let query = format!("view=action&action={id}");
    let mut events = browser.live(&query).await;
    let before = events.items().await["set"].clone();
    assert_eq!(before["step:3"]["kind"], "offered");

    let acknowledge = async |job: &Value| {
        codepipeline(&browser, "AcknowledgeJob", &json!({"jobId": job["id"], "nonce": job["nonce"]})).await;
    };
    acknowledge(&first).await;
    let changed = events.items().await["set"].clone();
    let new = json!({
        "n": 4, "at": 1_800_000_000_000_u64, "kind": "acknowledged", "job": first["id"], "round": 1,
    });
    assert_eq!((&changed["step:4"], changed.get("step:3")), (&new, None), "only the new step is sent");
    let on = json!({"jobId": first["id"], "continuationToken": "next"});
    codepipeline(&browser, "PutJobSuccessResult", &on).await;
    scenario.time.advance(Duration::from_secs(60));
    let second = job(&browser).await;
    acknowledge(&second).await;
    codepipeline(&browser, "PutJobSuccessResult", &json!({"jobId": second["id"]})).await;

    let items = browser.view(&query).await;
    let steps: Vec<&Value> = (1..).map_while(|number| items.get(format!("step:{number}"))).collect();
    let kinds: Vec<&str> = steps.iter().map(|step| step["kind"].as_str().unwrap()).collect();
    let wanted = [
        "started",
        "queued",
        "offered",
        "acknowledged",
        "continued",
        "waiting",
        "queued",
        "offered",
        "acknowledged",
        "reported_success",
        "succeeded",
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(steps[5]["detail"], 1_800_000_030_000_u64, "the time until which it waits");
    assert_eq!((&steps[8]["round"], &steps[8]["job"]), (&2.into(), &second["id"]));
}

#[tokio::test]
async fn log_follows_the_output_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let script = format!(
        "echo one; echo \"<b> $CONFIG_APITOKEN\"; until [ -e {} ]; do sleep 0.02; done; echo three",
        gate.display()
    );
    let mut providers = Providers::default();
    providers.stand_in(ActionTypeId::first("Deploy", "AWS", "ECS"), Arc::new(StandIn::new(&script)));
    let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
    let ship = json!({
        "name": "Ship", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"},
        "configuration": {"ApiToken": "MARKER"}, "inputArtifacts": [{"name": "Source"}],
    });
    let (browser, execution) = started(&scenario, &[ship]).await;
    let runs = |items: &Value| items["action:Build/Ship"].is_object();
    let id = browser.view_until(&execution_view(&execution), runs).await["action:Build/Ship"]["id"].clone();
    let query = format!("view=action&action={}", id.as_str().unwrap());
    let mut events = browser.live(&query).await;
    let first = lines(&mut events, 3).await;
    assert_eq!(first[1..], ["one", "<b> ****"], "the first line says that a stand-in runs");
    std::fs::write(gate, "").unwrap();
    let rest = loop {
        let (name, data) = events.next().await.unwrap();
        if name == "log" {
            break data;
        }
    };
    assert_eq!((&rest["first"], &rest["lines"][0]["text"]), (&4.into(), &"three".into()));
    // A client that comes later gets all lines.
    let again = lines(&mut Browser::of(&scenario.emulator).live(&query).await, 4).await;
    assert_eq!(again[..3], first);
}
