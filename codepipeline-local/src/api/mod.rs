//! CodePipeline's JSON 1.1 protocol over the engine: one file per operation, and one validator that walks the API's model.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    engine::{Engine, error::ApiError},
    types::Timestamp,
};
pub use connections::read_connections;
pub use job_event::job_event;
use model::MODEL;

mod acknowledge_job;
mod acknowledge_third_party_job;
mod connections;
mod create_custom_action_type;
mod create_pipeline;
mod delete_custom_action_type;
mod delete_pipeline;
mod disable_stage_transition;
mod enable_stage_transition;
mod get_job_details;
mod get_pipeline;
mod get_pipeline_execution;
mod get_pipeline_state;
mod get_third_party_job_details;
mod job_data;
mod job_event;
mod job_results;
mod list_action_executions;
mod list_action_types;
mod list_pipeline_executions;
mod list_pipelines;
mod list_tags_for_resource;
mod model;
mod paging;
mod pipeline_input;
mod poll_for_jobs;
mod poll_for_third_party_jobs;
mod put_action_revision;
mod put_approval_result;
mod put_job_failure_result;
mod put_job_success_result;
mod put_third_party_job_failure_result;
mod put_third_party_job_success_result;
mod resource_arn;
mod retry_stage_execution;
mod start_pipeline_execution;
mod stop_pipeline_execution;
mod tag_resource;
#[cfg(test)]
mod tests;
mod unknown;
mod untag_resource;
mod update_pipeline;
mod validate;

/// What goes back to the client.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// JSON, or nothing for an operation without a result.
    pub body: Vec<u8>,
}

/// The operation's result, or null if it has none.
type Answer = Result<Value, ApiError>;

/// Answers one request. `target` is its `X-Amz-Target` header. Whatever is due by `now` happens first.
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

/// The names of the operations that the emulator has.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    MODEL.operations.keys().map(String::as_str).filter(|name| handler(name).is_some())
}

fn call(engine: &mut Engine, target: &str, body: &[u8]) -> Answer {
    let name = target.strip_prefix(&MODEL.target_prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let Some(operation) = MODEL.operations.get(name) else {
        let message =
            format!("CodePipeline has no operation for the target; targets are {}.<Operation>", MODEL.target_prefix);
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

fn handler(operation: &str) -> Option<fn(&mut Engine, Value) -> Answer> {
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

/// Reads a validated input.
fn read<T: DeserializeOwned>(input: Value) -> Result<T, ApiError> {
    serde_json::from_value(input).map_err(|error| unreadable(&error))
}

fn write(value: impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|_| ApiError::new("InternalFailure", "The reply could not be written as JSON"))
}

/// An error's own text may quote the request, so only its place is told.
fn unreadable(error: &serde_json::Error) -> ApiError {
    let message = match error.line() {
        0 => "The request has a value that is out of range".to_owned(),
        line => format!("The request is not valid JSON (line {line}, column {})", error.column()),
    };
    ApiError::new("SerializationException", message)
}

/// A timestamp as the protocol writes it.
fn seconds(at: Timestamp) -> f64 {
    at.as_epoch_seconds()
}

/// An object of the members that have a value.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
