//! The worlds of the scenarios, and parts of their requests.

use super::{super::*, scenarios::polls};
use crate::api::read_connections;
use crate::engine::ActionTypeId;

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const WEB: &str = "arn:aws:codepipeline:us-east-1:123456789012:web";
const OTHER: &str = "99999999-2222-4333-8444-555555555555";
pub(super) const TOKEN: &str = "right";

/// An emulator with the action type and the partner's type.
pub(super) fn world() -> Local {
    world_with(|_| {})
}

fn world_with(change: impl FnOnce(&mut Settings)) -> Local {
    let mut local = Local::with(change);
    local.call("CreateCustomActionType", &rich_type());
    let connections = json!([connection(CLIENT, "Test"), connection(OTHER, "Source")]);
    local.engine.connect(read_connections(&connections.to_string()).unwrap()).unwrap();
    local
}

fn connection(client: &str, category: &str) -> Value {
    json!({
        "clientId": client, "clientToken": TOKEN,
        "actionType": {
            "category": category, "provider": "Partner", "version": "1",
            "configurationProperties": [property("Command", true, false, false)],
        },
    })
}

/// The request for the second of several pages.
pub(super) fn second_page(mut local: Local, operation: &str, input: Value) -> (Local, Value) {
    let input = if operation == "ListActionTypes" { input } else { merged(input, json!({"maxResults": 1})) };
    let token = local.call(operation, &input)["nextToken"].clone();
    (local, merged(input, json!({"nextToken": token})))
}

pub(super) fn created() -> Local {
    let mut local = world();
    local.call("CreatePipeline", &json!({"pipeline": declaration("web")}));
    local
}

/// The job of a custom source action, acknowledged.
pub(super) fn with_custom_source() -> (Local, Value) {
    let mut local = world();
    let mut fetcher = rich_type();
    (fetcher["category"], fetcher["provider"]) = ("Source".into(), "Fetch".into());
    local.call("CreateCustomActionType", &fetcher);
    let id = json!({"category": "Source", "owner": "Custom", "provider": "Fetch", "version": "1"});
    let mut pipeline = approved("web");
    let action = &mut pipeline["stages"][0]["actions"][0];
    (action["actionTypeId"], action["configuration"]) = (id.clone(), json!({"Command": "fetch", "Queue": "fast"}));
    local.call("CreatePipeline", &json!({"pipeline": pipeline}));
    local.start("web");
    let poll = json!({"actionTypeId": id, "queryParam": {"Queue": "fast"}});
    let job = local.call("PollForJobs", &poll)["jobs"][0].clone();
    local.acknowledge(&job).unwrap();
    (local, job)
}

pub(super) fn created_two() -> Local {
    let mut local = created();
    local.call("CreatePipeline", &json!({"pipeline": approved("other")}));
    local
}

pub(super) fn tagged() -> Local {
    let mut local = world();
    local.call("CreatePipeline", &json!({"pipeline": declaration("web"), "tags": tags()}));
    local
}

pub(super) fn started_twice() -> Local {
    let (mut local, _) = started();
    local.start("web");
    local
}

/// An execution whose actions `Unit` and `Lint` wait for a worker.
pub(super) fn started() -> (Local, String) {
    let mut local = created();
    let id = local.start("web");
    local.finish_sources(&fetched());
    (local, id)
}

pub(super) fn with_job(input: impl FnOnce(&Value) -> Value) -> (Local, Value) {
    let (mut local, _) = started();
    let job = poll(&mut local);
    let input = input(&job);
    (local, input)
}

pub(super) fn poll(local: &mut Local) -> Value {
    let [(operation, mut input), _] = polls();
    input["maxBatchSize"] = 1.into();
    let job = local.call(operation, &input)["jobs"][0].clone();
    assert!(job.is_object(), "a job is on offer");
    job
}

pub(super) fn claimed(result: Value) -> (Local, Value) {
    let (mut local, job) = with_job(Value::clone);
    local.acknowledge(&job).unwrap();
    (local, merged(json!({"jobId": job["id"]}), result))
}

/// An execution with a failed and a succeeded action.
pub(super) fn failed() -> (Local, String) {
    let (mut local, id) = started();
    let (first, second) = (poll(&mut local), poll(&mut local));
    for job in [&first, &second] {
        local.acknowledge(job).unwrap();
    }
    local.succeed(&first);
    local.call("PutJobFailureResult", &json!({"jobId": second["id"], "failureDetails": failure()}));
    (local, id)
}

pub(super) fn retried() -> (Local, String) {
    let (mut local, id) = failed();
    let stage = json!({"pipelineName": "web", "stageName": "Test", "pipelineExecutionId": id});
    local.call("RetryStageExecution", &merged(stage, json!({"retryMode": "FAILED_ACTIONS"})));
    (local, id)
}

/// Two of the partner's jobs are offered.
pub(super) fn with_partner() -> Local {
    let mut local = world();
    let scan = |name: &str| {
        let mut action = check(name, 1);
        action["actionTypeId"] = partner();
        action
    };
    let mut input = pipeline("web", &json!([scan("Scan"), scan("Again")]));
    input["pipeline"]["artifactStore"]["encryptionKey"] = json!({"id": "a-key", "type": "KMS"});
    local.call("CreatePipeline", &input);
    local.start("web");
    local.finish_sources(&fetched());
    local
}

pub(super) fn with_partners_job(acknowledged: bool) -> (Local, Value) {
    let mut local = with_partner();
    let details = partners_job(&mut local, &partner(), acknowledged);
    (local, details)
}

/// The job of a partner's source action, acknowledged.
pub(super) fn with_partners_source() -> (Local, Value) {
    let mut local = world();
    let mut pipeline = approved("web");
    let action = &mut pipeline["stages"][0]["actions"][0];
    let id = merged(partner(), json!({"category": "Source"}));
    (action["actionTypeId"], action["configuration"]) = (id.clone(), json!({"Command": "fetch"}));
    local.call("CreatePipeline", &json!({"pipeline": pipeline}));
    local.start("web");
    let details = partners_job(&mut local, &id, true);
    (local, details)
}

fn partners_job(local: &mut Local, action_type: &Value, acknowledged: bool) -> Value {
    let job = local.call("PollForThirdPartyJobs", &json!({"actionTypeId": action_type}))["jobs"][0].clone();
    let input = json!({"jobId": job["jobId"], "clientToken": TOKEN});
    let details = local.call("GetThirdPartyJobDetails", &input)["jobDetails"].clone();
    if acknowledged {
        let input = json!({"jobId": details["id"], "nonce": details["nonce"], "clientToken": TOKEN});
        local.call("AcknowledgeThirdPartyJob", &input);
    }
    details
}

pub(super) fn claimed_by_partner(result: Value) -> (Local, Value) {
    let (local, details) = with_partners_job(true);
    (local, merged(json!({"jobId": details["id"], "clientToken": TOKEN}), result))
}

pub(super) fn partner() -> Value {
    json!({"category": "Test", "owner": "ThirdParty", "provider": "Partner", "version": "1"})
}

pub(super) fn rich_type() -> Value {
    let mut command = property("Command", true, false, false);
    (command["description"], command["type"]) = ("What to run".into(), "String".into());
    let properties = json!([command, property("Token", false, true, false), property("Queue", true, false, true)]);
    json!({
        "category": "Test", "provider": "Check", "version": "1", "configurationProperties": properties,
        "settings": {
            "thirdPartyConfigurationUrl": "https://ci/settings",
            "entityUrlTemplate": "https://ci/{Config:Command}",
            "executionUrlTemplate": "https://ci/{Config:Command}/{ExternalExecutionId}",
            "revisionUrlTemplate": "https://ci/{Config:Command}/revisions",
        },
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 2},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 2},
    })
}

/// A pipeline with all members that the emulator accepts. The actions run in parallel.
pub(super) fn declaration(name: &str) -> Value {
    let action = |name: &str, rest: Value| {
        let mut action = check(name, 1);
        action["configuration"] = json!({"Command": "make #{variables.Target}", "Token": "s3cret", "Queue": "fast"});
        merged(action, rest)
    };
    let mut declaration = pipeline(
        name,
        &json!([
            action("Unit", json!({})),
            action("Lint", json!({"namespace": "lint", "outputArtifacts": [{"name": "Report"}]})),
        ]),
    )["pipeline"]
        .clone();
    let after =
        json!({"name": "After", "actions": [action("Ship", json!({"namespace": "ship", "region": "us-east-1"}))]});
    declaration["stages"].as_array_mut().unwrap().push(after);
    declaration["artifactStore"]["encryptionKey"] = json!({"id": "a-key", "type": "KMS"});
    declaration["stages"][0]["actions"][0]["roleArn"] = "arn:aws:iam::123456789012:role/source".into();
    declaration["variables"] = json!([{"name": "Target", "defaultValue": "all", "description": "What to make"}]);
    merged(declaration, json!({"pipelineType": "V2", "executionMode": "PARALLEL"}))
}

/// A world that runs Commands actions, and a pipeline with one.
pub(super) fn with_commands(name: &str) -> (Local, Value) {
    let commands = ActionTypeId::first("Compute", "AWS", "Commands");
    let local = world_with(|settings| _ = settings.provided.emulated.insert(commands));
    let mut pipeline = declaration(name);
    let action = json!({
        "name": "Build", "actionTypeId": {"category": "Compute", "owner": "AWS", "provider": "Commands", "version": "1"},
        "inputArtifacts": [{"name": "Source"}], "outputArtifacts": [{"name": "Site", "files": ["*.html"]}],
        "commands": ["make #{variables.Target}"], "outputVariables": ["Size"],
        "environmentVariables": [{"name": "KEY", "value": "a-secret", "type": "SECRETS_MANAGER"}],
    });
    // The last action of the last stage is the one whose members change.
    pipeline["stages"][2]["actions"].as_array_mut().unwrap().push(action);
    (local, pipeline)
}

/// A pipeline with a manual approval.
pub(super) fn approved(name: &str) -> Value {
    let approval = json!({
        "name": "Ask", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        "configuration": {"CustomData": "look"}, "timeoutInMinutes": 60,
    });
    pipeline(name, &json!([approval]))["pipeline"].clone()
}

pub(super) fn fetched() -> Result<SourceRevision, SourceError> {
    Ok(SourceRevision { summary: Some("the first".to_owned()), ..found()? })
}

pub(super) fn tags() -> Value {
    json!([{"key": "team", "value": "a"}, {"key": "cost", "value": "7"}])
}

pub(super) fn failure() -> Value {
    json!({"type": "JobFailed", "message": "red", "externalExecutionId": "42"})
}

pub(super) fn progress() -> Value {
    json!({"summary": "half", "externalExecutionId": "42", "percentComplete": 50})
}

pub(super) fn revision() -> Value {
    json!({"revision": "r7", "changeIdentifier": "c7", "created": 1_650_000_000, "revisionSummary": "seven"})
}

pub(super) fn merged(mut one: Value, other: Value) -> Value {
    let (Some(members), Value::Object(other)) = (one.as_object_mut(), other) else { panic!("both are objects") };
    members.extend(other);
    one
}
