//! The items of each view.

use std::collections::BTreeSet;
use std::sync::Arc;

use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_local::providers::{ActionTypeId, Providers, StandIn};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pipelines::{approval, codepipeline, custom, execution_view, job, put, start, started};
use crate::support::Scenario;

const START: u64 = 1_800_000_000_000;

#[tokio::test]
async fn lists_show_pipelines_and_executions() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    let none = browser.view("view=pipelines").await;
    assert_eq!(none.as_object().unwrap().keys().collect::<Vec<_>>(), [":emulator"]);
    assert_eq!(none[":emulator"]["started"], START);

    let (browser, first) = started(&scenario, &[approval()]).await;
    browser.view_until(&execution_view(&first), |items| items["action:Build/Ask"]["token"].is_string()).await;
    let second = start(&browser).await;
    let done = |items: &Value| items["action:Source/Source"]["status"] == "Succeeded";
    browser.view_until(&execution_view(&second), done).await;

    let items = browser.view("view=executions&pipeline=pipe").await;
    let pipeline = &items[":pipeline"];
    assert_eq!((&pipeline["name"], &pipeline["version"], &pipeline["total"]), (&"pipe".into(), &1.into(), &2.into()));
    assert_eq!(pipeline["stages"], json!(["Source", "Build"]));
    assert_eq!(pipeline["variables"], json!([{"name": "Level", "default": "1", "description": "How much"}]));
    let (older, newer) = (&items[&first], &items[&second]);
    assert!(older["number"].as_u64() < newer["number"].as_u64());
    assert_eq!(
        (&newer["status"], &newer["started"], &newer["version"]),
        (&"InProgress".into(), &START.into(), &1.into())
    );
    assert_eq!(newer["trigger"]["type"], "StartPipelineExecution");
    let revision = &newer["revisions"][0];
    assert!(revision["action"] == "Source" && revision["id"].is_string(), "{revision}");
    let newest = browser.view("view=executions&pipeline=pipe&limit=1").await;
    assert!(newest.get(&first).is_none() && newest[&second] == *newer && newest[":pipeline"]["total"] == 2);

    let pipelines = browser.view("view=pipelines").await;
    let shown = &pipelines["pipe"];
    assert_eq!(shown["latest"], *newer);
    assert_eq!((&shown["execution_mode"], &shown["stages"]), (&"SUPERSEDED".into(), &json!(["Source", "Build"])));
    assert_eq!((&shown["updated"], &shown["version"]), (&START.into(), &1.into()));
}

#[tokio::test]
async fn execution_shows_stages_and_actions() {
    let scenario = Scenario::start().await;
    let make = custom(&scenario).await;
    let (browser, execution) = started(&scenario, &[make]).await;
    let job = job(&browser).await;
    let acknowledge = json!({"jobId": job["id"], "nonce": job["nonce"]});
    codepipeline(&browser, "AcknowledgeJob", &acknowledge).await;
    let details = json!({"summary": "<script>", "externalExecutionId": "run 7", "percentComplete": 30});
    let on = json!({"jobId": job["id"], "executionDetails": details, "continuationToken": "next"});
    codepipeline(&browser, "PutJobSuccessResult", &on).await;

    let items = browser.view(&execution_view(&execution)).await;
    let head = &items[":execution"];
    assert_eq!((&head["id"], &head["execution_mode"]), (&execution.clone().into(), &"SUPERSEDED".into()));
    assert_eq!(head["variables"], json!([{"name": "Level", "value": "1"}]));
    assert_eq!(head.get("stop_reason"), None);
    assert_eq!(items[":pipeline"]["name"], "pipe");
    let (source, build) = (&items["stage:0"], &items["stage:1"]);
    assert_eq!((&source["status"], &source["index"]), (&"Succeeded".into(), &0.into()));
    assert_eq!((&build["status"], &build["name"]), (&"InProgress".into(), &"Build".into()));
    let kind = json!({"category": "Build", "owner": "Custom", "provider": "Maker", "version": "1"});
    let declared = json!([{"name": "Make", "run_order": 1, "type": kind, "namespace": "Made"}]);
    assert_eq!(build["actions"], declared);
    let action = &items["action:Build/Make"];
    for (name, value) in [
        ("status", json!("InProgress")),
        ("summary", json!("<script>")),
        ("percent", json!(30)),
        ("external_id", json!("run 7")),
        ("external_url", json!("https://ci.example/level-1/run 7")),
        ("entity_url", json!("https://ci.example/level-1")),
        ("started", json!(START)),
        ("stand_in", json!(false)),
        ("attempts", json!([action["id"]])),
    ] {
        assert_eq!(action[name], value, "{name}");
    }
    for absent in ["token", "approval", "error", "revision_url"] {
        assert_eq!(action.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn action_shows_artifacts_and_masks_secrets() {
    let scenario = Scenario::start().await;
    let make = custom(&scenario).await;
    let (browser, execution) = started(&scenario, &[make]).await;
    let mut live = browser.live(&execution_view(&execution)).await;
    let job = job(&browser).await;
    assert_eq!(job["data"]["actionConfiguration"]["configuration"]["Password"], "MARKER", "the worker gets it");
    let acknowledge = json!({"jobId": job["id"], "nonce": job["nonce"]});
    codepipeline(&browser, "AcknowledgeJob", &acknowledge).await;
    let id = job["data"]["pipelineContext"]["action"]["actionExecutionId"].as_str().unwrap().to_owned();
    let query = format!("view=action&action={id}");

    let action = browser.view(&query).await[":action"].clone();
    assert_eq!(action["configuration"], json!({"Job": "level-#{variables.Level}", "Password": "****"}));
    assert_eq!(action["resolved"], json!({"Job": "level-1", "Password": "****"}));
    assert_eq!((&action["pipeline"], &action["execution"]), (&"pipe".into(), &execution.clone().into()));
    assert_eq!((&action["run_order"], &action["namespace"]), (&1.into(), &"Made".into()));
    assert_eq!(action["type"]["provider"], "Maker");
    let (input, output) = (&action["inputs"][0], &action["outputs"][0]);
    assert_eq!((&input["name"], &input["exists"], &input["bytes"]), (&"Source".into(), &true.into(), &10.into()));
    assert!(input["revision"].is_string() && input["bucket"] == "artifact-store", "{input}");
    assert_eq!((&output["name"], &output["exists"]), (&"Made".into(), &false.into()));
    assert_eq!(output.get("bytes"), None);

    put(&scenario, "artifact-store", output["key"].as_str().unwrap(), b"made").await;
    let done = json!({"jobId": job["id"], "outputVariables": {"Url": "https://made.example"}});
    codepipeline(&browser, "PutJobSuccessResult", &done).await;
    let action = browser.view(&query).await[":action"].clone();
    assert_eq!((&action["outputs"][0]["exists"], &action["outputs"][0]["bytes"]), (&true.into(), &4.into()));
    assert_eq!((&action["status"], &action["variables"]["Url"]), (&"Succeeded".into(), &"https://made.example".into()));

    let mut shown = Vec::new();
    for query in ["view=pipelines", "view=executions&pipeline=pipe", &execution_view(&execution), &query] {
        shown.push(browser.view(query).await.to_string());
        shown.push(browser.live(query).await.items().await.to_string());
    }
    shown.push(live.items().await.to_string());
    assert!(shown.iter().all(|text| !text.contains("MARKER")), "{shown:?}");
}

#[tokio::test]
async fn approval_token_needs_the_pages_token() {
    let scenario = Scenario::start().await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let query = execution_view(&execution);
    let items = browser.view_until(&query, |items| items["action:Build/Ask"]["token"].is_string()).await;
    let id = items["action:Build/Ask"]["id"].as_str().unwrap();
    for query in [query.clone(), format!("view=action&action={id}")] {
        let without = browser.get(&format!("/_/api/view?{query}")).await.json()["items"].clone();
        let action = without.get(":action").unwrap_or(&without["action:Build/Ask"]);
        assert_eq!((action.get("token"), &action["approval"]["data"]), (None, &"Ship it?".into()));
    }
}

#[tokio::test]
async fn stand_in_is_marked_and_its_secrets_masked() {
    let kind = ActionTypeId::first("Deploy", "AWS", "ECS");
    let mut providers = Providers::default();
    providers.stand_in(kind, Arc::new(StandIn::new("true")));
    let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
    let deploy = json!({
        "name": "Ship", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"},
        "configuration": {"ClusterName": "c", "ServiceName": "s", "ApiToken": "MARKER"}, "inputArtifacts": [{"name": "Source"}],
    });
    let (browser, execution) = started(&scenario, &[deploy]).await;
    let is_there = |items: &Value| items["action:Build/Ship"].is_object();
    let items = browser.view_until(&execution_view(&execution), is_there).await;
    assert_eq!(items["action:Build/Ship"]["stand_in"], true);
    let id = items["action:Build/Ship"]["id"].as_str().unwrap();
    let action = browser.view(&format!("view=action&action={id}")).await[":action"].clone();
    assert_eq!(action["resolved"], json!({"ClusterName": "c", "ServiceName": "s", "ApiToken": "****"}));
}

#[tokio::test]
async fn missing_and_wrong_views_are_named() {
    let scenario = Scenario::start().await;
    let (browser, _) = started(&scenario, &[approval()]).await;
    for (query, status, named) in [
        ("view=executions&pipeline=other", 404, "other"),
        ("view=execution&pipeline=other&execution=x", 404, "other"),
        ("view=execution&pipeline=pipe&execution=x1", 404, "x1"),
        ("view=action&action=a1", 404, "a1"),
        ("view=nothing", 400, "executions"),
        ("", 400, "view"),
        ("view=executions", 400, "pipeline"),
        ("view=executions&pipeline=pipe&limit=many", 400, "10000"),
    ] {
        let reply = browser.get(&format!("/_/api/view?{query}")).await;
        assert!(reply.status == status && reply.message().contains(named), "{query}: {:?}", reply.body);
        if status == 400 {
            assert_eq!(browser.get(&format!("/_/api/live?{query}")).await.status, 400, "{query}");
        }
    }
}

#[tokio::test]
async fn long_list_has_every_execution_once() {
    let engine = Settings { start_on_create: false, source_poll: None, ..Settings::default() };
    let scenario = Scenario::with(Options { engine, ..Options::default() }).await;
    let (browser, first) = started(&scenario, &[approval()]).await;
    let mut ids = BTreeSet::from([first]);
    for _ in 0..119 {
        ids.insert(start(&browser).await);
    }
    let listed = |items: &Value| -> BTreeSet<String> {
        items.as_object().unwrap().keys().filter(|key| !key.starts_with(':')).cloned().collect()
    };
    let all = browser.view("view=executions&pipeline=pipe&limit=10000").await;
    assert_eq!(listed(&all), ids);
    let some = browser.view("view=executions&pipeline=pipe").await;
    assert_eq!((listed(&some).len(), &some[":pipeline"]["total"]), (100, &120.into()));
    let oldest = all.as_object().unwrap().values().filter_map(|it| it["number"].as_u64()).min();
    assert!(some.as_object().unwrap().values().all(|it| it["number"].as_u64() != oldest), "the newest are kept");
}

#[tokio::test]
async fn pipeline_can_have_a_name_like_a_key() {
    let scenario = Scenario::start().await;
    let (browser, _) = started(&scenario, &[approval()]).await;
    let mut pipeline = codepipeline(&browser, "GetPipeline", &json!({"name": "pipe"})).await["pipeline"].clone();
    for name in ["_emulator", "emulator"] {
        pipeline["name"] = name.into();
        codepipeline(&browser, "CreatePipeline", &json!({"pipeline": pipeline})).await;
    }
    let items = browser.view("view=pipelines").await;
    assert_eq!(items.as_object().unwrap().len(), 4);
    assert_eq!((&items["_emulator"]["name"], &items[":emulator"]["mode"]), (&"_emulator".into(), &"serve".into()));
}

#[tokio::test]
async fn summaries_say_what_an_execution_waits_for() {
    let scenario = Scenario::start().await;
    let (browser, first) = started(&scenario, &[approval()]).await;
    let wait = |id: String| move |items: &Value| items[&id]["wait"].clone();
    let list = "view=executions&pipeline=pipe";
    let of_first = wait(first.clone());
    let items = browser.view_until(list, |items| !of_first(items).is_null()).await;
    assert_eq!(
        (&items[&first]["stage"], of_first(&items)),
        (&json!("Build"), json!({"for": "approval", "action": "Ask"}))
    );

    let second = start(&browser).await;
    let of_second = wait(second.clone());
    let items = browser.view_until(list, |items| !of_second(items).is_null()).await;
    assert_eq!(items[&second]["stage"], "Build");
    assert_eq!(of_second(&items), json!({"for": "execution", "execution": first}));

    let disabled =
        json!({"pipelineName": "pipe", "stageName": "Build", "transitionType": "Inbound", "reason": "freeze"});
    codepipeline(&browser, "DisableStageTransition", &disabled).await;
    let items = browser.view(list).await;
    assert_eq!(of_second(&items), json!({"for": "transition"}));
    let abandon = json!({"pipelineName": "pipe", "pipelineExecutionId": first, "abandon": true});
    codepipeline(&browser, "StopPipelineExecution", &abandon).await;
    let ended = &browser.view(list).await[&first];
    assert!(ended.get("stage").is_none() && ended.get("wait").is_none(), "{ended}");
}

#[tokio::test]
async fn stage_that_the_pipeline_lost_has_no_transition() {
    let scenario = Scenario::start().await;
    let (browser, execution) = started(&scenario, &[approval()]).await;
    let waits = |items: &Value| items["action:Build/Ask"]["token"].is_string();
    let items = browser.view_until(&execution_view(&execution), waits).await;
    assert_eq!(items["stage:1"]["transition"], json!({"enabled": true}));
    let mut pipeline = codepipeline(&browser, "GetPipeline", &json!({"name": "pipe"})).await["pipeline"].take();
    pipeline["stages"][1]["name"] = "Ship".into();
    codepipeline(&browser, "UpdatePipeline", &json!({"pipeline": pipeline})).await;
    let items = browser.view(&execution_view(&execution)).await;
    assert!(items["stage:1"]["name"] == "Build" && items["stage:1"].get("transition").is_none(), "{items}");
    assert_eq!(items["stage:0"]["transition"], json!({"enabled": true}));
}
