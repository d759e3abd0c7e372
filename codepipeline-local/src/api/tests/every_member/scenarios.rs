//! A request for each operation that the emulator has, in a world where it makes a difference.

use super::super::*;
use crate::api::read_connections;

pub(super) struct Scenario {
    pub(super) operation: &'static str,
    pub(super) set_up: SetUp,
}

/// Makes a world and the operation's input.
type SetUp = fn() -> (Local, Value);

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const TOKEN: &str = "right";

/// More than one for an operation whose members exclude each other.
pub(super) fn scenarios() -> Vec<Scenario> {
    let all: &[(&str, SetUp)] = &[
        ("AcknowledgeJob", || with_job(|job| json!({"jobId": job["id"], "nonce": job["nonce"]}))),
        ("AcknowledgeThirdPartyJob", || {
            let (local, details) = with_partners_job(false);
            (local, json!({"jobId": details["id"], "nonce": details["nonce"], "clientToken": TOKEN}))
        }),
        ("CreateCustomActionType", || {
            let mut input = rich_type();
            (input["version"], input["tags"]) = ("2".into(), tags());
            (world(), input)
        }),
        ("CreatePipeline", || (world(), json!({"pipeline": declaration("new"), "tags": tags()}))),
        ("CreatePipeline", || {
            let mut pipeline = declaration("new");
            let store = pipeline.as_object_mut().unwrap().remove("artifactStore");
            pipeline["artifactStores"] = json!({"us-east-1": store});
            (world(), json!({"pipeline": pipeline}))
        }),
        ("CreatePipeline", || (world(), json!({"pipeline": approved("new")}))),
        ("DeleteCustomActionType", || (world(), json!({"category": "Test", "provider": "Check", "version": "1"}))),
        ("DeletePipeline", || (created(), json!({"name": "web"}))),
        ("DisableStageTransition", || {
            (
                created(),
                json!({"pipelineName": "web", "stageName": "Test", "transitionType": "Inbound", "reason": "later"}),
            )
        }),
        ("EnableStageTransition", || {
            let mut local = created();
            for kind in ["Inbound", "Outbound"] {
                let stage =
                    json!({"pipelineName": "web", "stageName": "Test", "transitionType": kind, "reason": "later"});
                local.call("DisableStageTransition", &stage);
            }
            (local, json!({"pipelineName": "web", "stageName": "Test", "transitionType": "Inbound"}))
        }),
        ("EnableStageTransition", || {
            let mut local = world();
            local.call("CreatePipeline", &json!({"pipeline": approved("web")}));
            let stage = json!({"pipelineName": "web", "stageName": "Test", "transitionType": "Inbound"});
            local.call("DisableStageTransition", &merged(stage.clone(), json!({"reason": "later"})));
            local.start("web");
            local.finish_sources(&fetched());
            (local, merged(stage, json!({"stageName": "Source"})))
        }),
        ("GetJobDetails", || with_job(|job| json!({"jobId": job["id"]}))),
        ("GetPipeline", || {
            let mut local = created();
            local.call("UpdatePipeline", &json!({"pipeline": approved("web")}));
            (local, json!({"name": "web"}))
        }),
        ("GetPipelineExecution", || {
            let (local, id) = started();
            (local, json!({"pipelineName": "web", "pipelineExecutionId": id}))
        }),
        ("GetPipelineState", || (started().0, json!({"name": "web"}))),
        ("GetThirdPartyJobDetails", || {
            let (local, details) = with_partners_job(false);
            (local, json!({"jobId": details["id"], "clientToken": TOKEN}))
        }),
        ("ListActionExecutions", || (retried().0, json!({"pipelineName": "web"}))),
        ("ListActionExecutions", || {
            let (local, id) = retried();
            let latest = json!({"pipelineExecutionId": id, "startTimeRange": "Latest"});
            (local, json!({"pipelineName": "web", "filter": {"latestInPipelineExecution": latest}}))
        }),
        ("ListActionTypes", || (world(), json!({}))),
        ("ListActionTypes", || {
            let mut local = world();
            local.engine.settings.page_size = 2;
            (local, json!({}))
        }),
        ("ListPipelineExecutions", || {
            let (mut local, _) = started();
            local.start("web");
            (local, json!({"pipelineName": "web"}))
        }),
        ("ListPipelines", || {
            let mut local = created();
            local.call("CreatePipeline", &json!({"pipeline": approved("other")}));
            (local, json!({}))
        }),
        ("ListTagsForResource", || {
            let mut local = world();
            local.call("CreatePipeline", &json!({"pipeline": declaration("web"), "tags": tags()}));
            (local, json!({"resourceArn": "arn:aws:codepipeline:us-east-1:123456789012:web"}))
        }),
        ("PollForJobs", || {
            let (mut local, _) = started();
            local.start("web");
            local.finish_sources(&fetched());
            (local, json!({"actionTypeId": type_id(), "maxBatchSize": 5, "queryParam": {"Queue": "fast"}}))
        }),
        ("PollForThirdPartyJobs", || (with_partner(), json!({"actionTypeId": partner(), "maxBatchSize": 5}))),
        ("PutActionRevision", || {
            let revision = json!({"revisionId": "r7", "revisionChangeId": "c7", "created": 1_650_000_000});
            let action = json!({"pipelineName": "web", "stageName": "Source", "actionName": "Fetch"});
            (with_custom_source().0, merged(action, json!({"actionRevision": revision})))
        }),
        ("PutApprovalResult", || {
            let mut local = world();
            local.call("CreatePipeline", &json!({"pipeline": approved("web")}));
            local.start("web");
            local.finish_sources(&fetched());
            let token = local.action("web", 1, 0)["latestExecution"]["token"].clone();
            let result = json!({"status": "Approved", "summary": "good"});
            let action = json!({"pipelineName": "web", "stageName": "Test", "actionName": "Ask", "token": token});
            (local, merged(action, json!({"result": result})))
        }),
        ("PutJobFailureResult", || claimed(json!({"failureDetails": failure()}))),
        ("PutJobSuccessResult", || claimed(json!({"executionDetails": progress(), "currentRevision": revision()}))),
        ("PutJobSuccessResult", || claimed(json!({"outputVariables": {"Size": "7"}}))),
        ("PutJobSuccessResult", || {
            let (local, job) = with_custom_source();
            (local, json!({"jobId": job["id"], "currentRevision": revision()}))
        }),
        ("PutThirdPartyJobFailureResult", || claimed_by_partner(json!({"failureDetails": failure()}))),
        ("PutThirdPartyJobSuccessResult", || claimed_by_partner(json!({"continuationToken": "more"}))),
        ("PutThirdPartyJobSuccessResult", || {
            claimed_by_partner(json!({"executionDetails": progress(), "currentRevision": revision()}))
        }),
        ("RetryStageExecution", || {
            let (local, id) = failed();
            let stage = json!({"pipelineName": "web", "stageName": "Test", "pipelineExecutionId": id});
            (local, merged(stage, json!({"retryMode": "FAILED_ACTIONS"})))
        }),
        ("StartPipelineExecution", || {
            let mut local = created();
            // The token is the one that the variants have.
            local.call("StartPipelineExecution", &json!({"name": "web", "clientRequestToken": "a"}));
            (local, json!({"name": "web", "variables": [{"name": "Target", "value": "half"}]}))
        }),
        ("StopPipelineExecution", || {
            let (local, id) = started();
            (local, json!({"pipelineName": "web", "pipelineExecutionId": id, "abandon": false, "reason": "why not"}))
        }),
        ("TagResource", || {
            let arn = "arn:aws:codepipeline:us-east-1:123456789012:web";
            (created(), json!({"resourceArn": arn, "tags": tags()}))
        }),
        ("UntagResource", || {
            let mut local = world();
            local.call("CreatePipeline", &json!({"pipeline": declaration("web"), "tags": tags()}));
            (local, json!({"resourceArn": "arn:aws:codepipeline:us-east-1:123456789012:web", "tagKeys": ["team"]}))
        }),
        ("UpdatePipeline", || (created(), json!({"pipeline": declaration("web")}))),
        ("UpdatePipeline", || (created(), json!({"pipeline": approved("web")}))),
    ];
    all.iter().map(|(operation, set_up)| Scenario { operation, set_up: *set_up }).collect()
}

/// The requests that workers begin with.
pub(super) fn polls() -> [(&'static str, Value); 2] {
    [
        ("PollForJobs", json!({"actionTypeId": type_id(), "maxBatchSize": 5, "queryParam": {"Queue": "fast"}})),
        ("PollForThirdPartyJobs", json!({"actionTypeId": partner(), "maxBatchSize": 5})),
    ]
}

/// An emulator with the action type and the partner's.
fn world() -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &rich_type());
    let connections = json!([{
        "clientId": CLIENT, "clientToken": TOKEN,
        "actionType": {
            "category": "Test", "provider": "Partner", "version": "1",
            "configurationProperties": [property("Command", true, false, false)],
        },
    }]);
    local.engine.connect(read_connections(&connections.to_string()).unwrap()).unwrap();
    local
}

fn created() -> Local {
    let mut local = world();
    local.call("CreatePipeline", &json!({"pipeline": declaration("web")}));
    local
}

/// The job of a custom source action, acknowledged.
fn with_custom_source() -> (Local, Value) {
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

/// An execution whose actions `Unit` and `Lint` wait for a worker.
fn started() -> (Local, String) {
    let mut local = created();
    let id = local.start("web");
    local.finish_sources(&fetched());
    (local, id)
}

fn with_job(input: impl FnOnce(&Value) -> Value) -> (Local, Value) {
    let (mut local, _) = started();
    let job = poll(&mut local);
    let input = input(&job);
    (local, input)
}

fn poll(local: &mut Local) -> Value {
    let [(operation, mut input), _] = polls();
    input["maxBatchSize"] = 1.into();
    let job = local.call(operation, &input)["jobs"][0].clone();
    assert!(job.is_object(), "a job is on offer");
    job
}

fn claimed(result: Value) -> (Local, Value) {
    let (mut local, job) = with_job(Value::clone);
    local.acknowledge(&job).unwrap();
    (local, merged(json!({"jobId": job["id"]}), result))
}

/// One action failed, the other one did not.
fn failed() -> (Local, String) {
    let (mut local, id) = started();
    let (first, second) = (poll(&mut local), poll(&mut local));
    for job in [&first, &second] {
        local.acknowledge(job).unwrap();
    }
    local.succeed(&first);
    local.call("PutJobFailureResult", &json!({"jobId": second["id"], "failureDetails": failure()}));
    (local, id)
}

fn retried() -> (Local, String) {
    let (mut local, id) = failed();
    let stage = json!({"pipelineName": "web", "stageName": "Test", "pipelineExecutionId": id});
    local.call("RetryStageExecution", &merged(stage, json!({"retryMode": "FAILED_ACTIONS"})));
    (local, id)
}

/// Two jobs of the partner's are on offer.
fn with_partner() -> Local {
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

fn with_partners_job(acknowledged: bool) -> (Local, Value) {
    let mut local = with_partner();
    let job = local.call("PollForThirdPartyJobs", &json!({"actionTypeId": partner()}))["jobs"][0].clone();
    let input = json!({"jobId": job["jobId"], "clientToken": TOKEN});
    let details = local.call("GetThirdPartyJobDetails", &input)["jobDetails"].clone();
    if acknowledged {
        let input = json!({"jobId": details["id"], "nonce": details["nonce"], "clientToken": TOKEN});
        local.call("AcknowledgeThirdPartyJob", &input);
    }
    (local, details)
}

fn claimed_by_partner(result: Value) -> (Local, Value) {
    let (local, details) = with_partners_job(true);
    (local, merged(json!({"jobId": details["id"], "clientToken": TOKEN}), result))
}

fn partner() -> Value {
    json!({"category": "Test", "owner": "ThirdParty", "provider": "Partner", "version": "1"})
}

fn rich_type() -> Value {
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

/// A pipeline of every member that the emulator takes. The actions run side by side.
fn declaration(name: &str) -> Value {
    let action = |name: &str, rest: Value| {
        let mut action = check(name, 1);
        action["configuration"] = json!({"Command": "make #{variables.Target}", "Token": "s3cret", "Queue": "fast"});
        merged(action, rest)
    };
    let mut declaration = pipeline(
        name,
        &json!([
            action("Unit", json!({"region": "us-east-1"})),
            action("Lint", json!({"namespace": "lint", "outputArtifacts": [{"name": "Report"}]})),
        ]),
    )["pipeline"]
        .clone();
    let after = json!({"name": "After", "actions": [action("Ship", json!({"namespace": "ship"}))]});
    declaration["stages"].as_array_mut().unwrap().push(after);
    declaration["artifactStore"]["encryptionKey"] = json!({"id": "a-key", "type": "KMS"});
    declaration["stages"][0]["actions"][0]["roleArn"] = "arn:aws:iam::123456789012:role/source".into();
    declaration["variables"] = json!([{"name": "Target", "defaultValue": "all", "description": "What to make"}]);
    merged(declaration, json!({"pipelineType": "V2", "executionMode": "PARALLEL"}))
}

/// A pipeline with a manual approval.
fn approved(name: &str) -> Value {
    let approval = json!({
        "name": "Ask", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        "configuration": {"CustomData": "look"}, "timeoutInMinutes": 60,
    });
    pipeline(name, &json!([approval]))["pipeline"].clone()
}

fn fetched() -> Result<SourceRevision, SourceError> {
    Ok(SourceRevision { summary: Some("the first".to_owned()), ..found()? })
}

fn tags() -> Value {
    json!([{"key": "team", "value": "a"}, {"key": "cost", "value": "7"}])
}

fn failure() -> Value {
    json!({"type": "JobFailed", "message": "red", "externalExecutionId": "42"})
}

fn progress() -> Value {
    json!({"summary": "half", "externalExecutionId": "42", "percentComplete": 50})
}

fn revision() -> Value {
    json!({"revision": "r7", "changeIdentifier": "c7", "created": 1_650_000_000, "revisionSummary": "seven"})
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Some(members), Value::Object(other)) = (one.as_object_mut(), other) else { panic!("both are objects") };
    members.extend(other);
    one
}
