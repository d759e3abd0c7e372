//! A request for each emulated operation, in a world where it has an effect.

use super::{super::*, worlds::*};

pub(super) struct Scenario {
    pub(super) operation: &'static str,
    pub(super) set_up: SetUp,
}

/// Creates a world and the operation's input.
type SetUp = fn() -> (Local, Value);

/// An operation whose members exclude each other has several.
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
        ("CreatePipeline", || {
            let (local, pipeline) = with_commands("new");
            (local, json!({"pipeline": pipeline}))
        }),
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
        ("ListActionExecutions", || second_page(retried().0, "ListActionExecutions", json!({"pipelineName": "web"}))),
        ("ListActionTypes", || (world(), json!({"regionFilter": "us-east-1"}))),
        ("ListActionTypes", || {
            let mut local = world();
            local.engine.settings.page_size = 2;
            second_page(local, "ListActionTypes", json!({}))
        }),
        ("ListPipelineExecutions", || {
            let in_stage = json!({"succeededInStage": {"stageName": "Source"}});
            (started().0, json!({"pipelineName": "web", "filter": in_stage}))
        }),
        ("ListPipelineExecutions", || (started_twice(), json!({"pipelineName": "web"}))),
        ("ListPipelineExecutions", || {
            second_page(started_twice(), "ListPipelineExecutions", json!({"pipelineName": "web"}))
        }),
        ("ListPipelines", || (created_two(), json!({}))),
        ("ListPipelines", || second_page(created_two(), "ListPipelines", json!({}))),
        ("ListTagsForResource", || (tagged(), json!({"resourceArn": WEB}))),
        ("ListTagsForResource", || second_page(tagged(), "ListTagsForResource", json!({"resourceArn": WEB}))),
        ("PollForJobs", || {
            let mut local = started_twice();
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
            let (local, details) = with_partners_source();
            (local, json!({"jobId": details["id"], "clientToken": TOKEN, "currentRevision": revision()}))
        }),
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
            // The variants have this token.
            local.call("StartPipelineExecution", &json!({"name": "web", "clientRequestToken": "a"}));
            (local, json!({"name": "web", "variables": [{"name": "Target", "value": "half"}]}))
        }),
        ("StopPipelineExecution", || {
            let (local, id) = started();
            (local, json!({"pipelineName": "web", "pipelineExecutionId": id, "abandon": false, "reason": "why not"}))
        }),
        ("TagResource", || (created(), json!({"resourceArn": WEB, "tags": tags()}))),
        ("UntagResource", || (tagged(), json!({"resourceArn": WEB, "tagKeys": ["team"]}))),
        ("UpdatePipeline", || (created(), json!({"pipeline": declaration("web")}))),
        ("UpdatePipeline", || (created(), json!({"pipeline": approved("web")}))),
        ("UpdatePipeline", || {
            let (mut local, pipeline) = with_commands("web");
            local.call("CreatePipeline", &json!({"pipeline": pipeline}));
            (local, json!({"pipeline": pipeline}))
        }),
    ];
    all.iter().map(|(operation, set_up)| Scenario { operation, set_up: *set_up }).collect()
}

/// The first requests of workers.
pub(super) fn polls() -> [(&'static str, Value); 2] {
    [
        ("PollForJobs", json!({"actionTypeId": type_id(), "maxBatchSize": 5, "queryParam": {"Queue": "fast"}})),
        ("PollForThirdPartyJobs", json!({"actionTypeId": partner(), "maxBatchSize": 5})),
    ]
}
