//! Secret configuration values of actions whose types are not known.

use super::provided::{building, id, one_run};
use super::*;
use crate::engine::{ActionTypeId, Done};

/// An action that the emulator skips, because it has no such type.
fn ship(configuration: &Value) -> Value {
    let ecs = ActionTypeId::first("Deploy", "AWS", "ECS");
    json!({
        "name": "Ship", "actionTypeId": id(&ecs), "inputArtifacts": [{"name": "Source"}],
        "configuration": configuration,
    })
}

fn skip(settings: &mut Settings) {
    settings.provided.skipped.insert("Ship".to_owned());
}

fn configuration(pipeline: &Value) -> &Value {
    &pipeline["stages"][1]["actions"][0]["configuration"]
}

#[test]
fn update_with_the_own_reply_keeps_an_unknown_type() {
    let declared = json!({"ClusterName": "web", "AccessToken": "hunter2"});
    let (mut local, _) = building(skip, &json!([ship(&declared)]));
    let got = local.call("GetPipeline", &json!({"name": "web"}))["pipeline"].clone();
    assert_eq!(configuration(&got), &json!({"ClusterName": "web", "AccessToken": "****"}));
    local.call("UpdatePipeline", &json!({"pipeline": got}));
    let (first, _) = one_run(&mut local);
    local.engine.run_finished(local.now, first, Ok(Done::default()));
    local.start("web");
    local.finish_sources(&found());
    assert_eq!(json!(one_run(&mut local).1.configuration), declared);
}

#[test]
fn every_mask_of_an_unknown_type_stands_for_the_stored_value() {
    let (mut local, _) = building(skip, &json!([ship(&json!({"ClusterName": "web", "ApiKey": "k-1234"}))]));
    let masked = |name: &str| pipeline(name, &json!([ship(&json!({"ClusterName": "****", "ApiKey": "****"}))]));
    let updated = local.call("UpdatePipeline", &masked("web"));
    assert_eq!(configuration(&updated["pipeline"]), &json!({"ClusterName": "web", "ApiKey": "k-1234"}));
    let (name, message) = local.refused("CreatePipeline", &masked("other"));
    assert_eq!(name, "InvalidActionDeclarationException");
    assert!(message.contains("'Ship'") && message.contains("'ApiKey'"), "{message}");
    let added = pipeline("web", &json!([ship(&json!({"ClusterName": "****", "Region": "****"}))]));
    let (_, message) = local.refused("UpdatePipeline", &added);
    assert!(message.contains("'Region'"), "{message}");
}

#[test]
fn only_secrets_of_an_unknown_type_are_masked_in_texts() {
    let declared = json!({"ClusterName": "skipped", "Level": "e", "Pin": "1", "PinToken": "2", "ApiToken": "hunter2"});
    let (local, _) = building(skip, &json!([ship(&declared)]));
    let action = local.newest("Ship");
    let text = "skipped 1 of 2 with hunter2";
    let masked = "skipped 1 of 2 with ****";
    assert_eq!(local.engine.without_secrets(action, text), masked);
    assert_eq!(local.engine.secrets_around(action).mask(text), masked);
}
