//! Dispatches a request: finds its operation, checks the input and calls the operation's file.

use serde_json::{Value, json};

use super::{
    acknowledge_job, acknowledge_third_party_job, create_custom_action_type, create_pipeline,
    delete_custom_action_type, delete_pipeline, disable_stage_transition, enable_stage_transition, get_job_details,
    get_pipeline, get_pipeline_execution, get_pipeline_state, get_third_party_job_details, list_action_executions,
    list_action_types, list_pipeline_executions, list_pipelines, list_tags_for_resource, poll_for_jobs,
    poll_for_third_party_jobs, put_action_revision, put_approval_result, put_job_failure_result,
    put_job_success_result, put_third_party_job_failure_result, put_third_party_job_success_result, resource_arn,
    retry_stage_execution, start_pipeline_execution, stop_pipeline_execution, tag_resource, unknown, untag_resource,
    update_pipeline, validate,
};
use super::{
    model::MODEL,
    values::{OperationResult, unreadable},
};
use crate::engine::{Engine, error::ApiError};
use crate::types::Timestamp;

/// A response to the client.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// JSON, or empty for an operation without a result.
    pub body: Vec<u8>,
}

/// Answers one request. `target` is its `X-Amz-Target` header. First does all work that is due by `now`.
pub fn answer(engine: &mut Engine, now: Timestamp, target: &str, body: &[u8]) -> Reply {
    engine.advance(now);
    match call(engine, target, body) {
        Ok(Value::Null) => Reply { status: 200, body: Vec::new() },
        Ok(value) => Reply { status: 200, body: value.to_string().into_bytes() },
        Err(error) => {
            let body = json!({"__type": error.name, "message": error.message});
            Reply { status: 400, body: body.to_string().into_bytes() }
        }
    }
}

/// The names of the emulated operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    MODEL.operations.keys().map(String::as_str).filter(|name| handler(name).is_some())
}

fn call(engine: &mut Engine, target: &str, body: &[u8]) -> OperationResult {
    let prefix = &MODEL.target_prefix;
    let named = target.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
    let Some((name, operation)) = named.and_then(|name| Some((name, MODEL.operations.get(name)?))) else {
        let shown = unknown::shown(named.unwrap_or(target));
        let message = format!("CodePipeline has no operation \"{shown}\"; the target must be {prefix}.OPERATION");
        return Err(ApiError::new("UnknownOperationException", message));
    };
    let Some(handler) = handler(name) else {
        let message = format!("{name} is an operation of CodePipeline that codepipeline-local does not emulate");
        return Err(ApiError::new("NotImplementedException", message));
    };
    let mut input: Value = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(body) }
        .map_err(|error| unreadable(&error))?;
    validate::strip_nulls(&mut input);
    resource_arn::complete(engine, &mut input);
    unknown::refuse(name, &input)?;
    validate::validate(&input, &operation.input, engine.settings.configuration_value_limit)?;
    handler(engine, input)
}

fn handler(operation: &str) -> Option<fn(&mut Engine, Value) -> OperationResult> {
    Some(match operation {
        "AcknowledgeJob" => acknowledge_job::answer,
        "AcknowledgeThirdPartyJob" => acknowledge_third_party_job::answer,
        "CreateCustomActionType" => create_custom_action_type::answer,
        "CreatePipeline" => create_pipeline::answer,
        "DeleteCustomActionType" => delete_custom_action_type::answer,
        "DeletePipeline" => delete_pipeline::answer,
        "DisableStageTransition" => disable_stage_transition::answer,
        "EnableStageTransition" => enable_stage_transition::answer,
        "GetJobDetails" => get_job_details::answer,
        "GetPipeline" => get_pipeline::answer,
        "GetPipelineExecution" => get_pipeline_execution::answer,
        "GetPipelineState" => get_pipeline_state::answer,
        "GetThirdPartyJobDetails" => get_third_party_job_details::answer,
        "ListActionExecutions" => list_action_executions::answer,
        "ListActionTypes" => list_action_types::answer,
        "ListPipelineExecutions" => list_pipeline_executions::answer,
        "ListPipelines" => list_pipelines::answer,
        "ListTagsForResource" => list_tags_for_resource::answer,
        "PollForJobs" => poll_for_jobs::answer,
        "PollForThirdPartyJobs" => poll_for_third_party_jobs::answer,
        "PutActionRevision" => put_action_revision::answer,
        "PutApprovalResult" => put_approval_result::answer,
        "PutJobFailureResult" => put_job_failure_result::answer,
        "PutJobSuccessResult" => put_job_success_result::answer,
        "PutThirdPartyJobFailureResult" => put_third_party_job_failure_result::answer,
        "PutThirdPartyJobSuccessResult" => put_third_party_job_success_result::answer,
        "RetryStageExecution" => retry_stage_execution::answer,
        "StartPipelineExecution" => start_pipeline_execution::answer,
        "StopPipelineExecution" => stop_pipeline_execution::answer,
        "TagResource" => tag_resource::answer,
        "UntagResource" => untag_resource::answer,
        "UpdatePipeline" => update_pipeline::answer,
        _ => return None,
    })
}
