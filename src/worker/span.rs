//! The span of a job. Its fields are in every line of the log about the job: polled, out of an event, or adopted.

use tracing::Span;
use tracing::field::Empty;

use crate::job::{ActionTypeId, Job};
use crate::lifecycle::{Orphan, execution_id};

/// The names of a job in the log.
struct Ids<'a> {
    job: &'a str,
    action_type: &'a ActionTypeId,
    pipeline: Option<&'a str>,
    pipeline_execution: Option<&'a str>,
    stage: Option<&'a str>,
    action: Option<&'a str>,
    action_execution: &'a str,
}

/// The span of a job that a poll or an event brought.
pub(super) fn of_job(job: &Job) -> Span {
    let place = &job.pipeline;
    span(&Ids {
        job: &job.id,
        action_type: &job.action_type,
        pipeline: place.pipeline_name.as_deref(),
        pipeline_execution: place.pipeline_execution_id.as_deref(),
        stage: place.stage_name.as_deref(),
        action: place.action_name.as_deref(),
        action_execution: &execution_id(job),
    })
}

/// The span of a job whose worker died. The ledger's entry has the ids.
pub(super) fn of_orphan(orphan: &Orphan) -> Span {
    let [pipeline, stage, action] = orphan.place();
    span(&Ids {
        job: orphan.job(),
        action_type: orphan.action_type(),
        pipeline,
        pipeline_execution: orphan.pipeline_execution_id(),
        stage,
        action,
        action_execution: orphan.execution_id(),
    })
}

/// The span of a job whose event has only its id.
pub(super) fn of_bare_job(job: &str, action_type: &ActionTypeId) -> Span {
    let (pipeline, pipeline_execution, stage, action) = (None, None, None, None);
    span(&Ids { job, action_type, pipeline, pipeline_execution, stage, action, action_execution: job })
}

/// The span of a line about an action, when no job is at hand.
pub(super) fn of_action(action_type: &ActionTypeId, execution_id: &str) -> Span {
    tracing::info_span!("action", actionExecutionId = execution_id, actionType = %action_type)
}

/// The action may give the external execution id later, a command its exit code, and a failed job its code.
fn span(ids: &Ids<'_>) -> Span {
    tracing::info_span!(
        "job",
        jobId = ids.job,
        actionType = %ids.action_type,
        pipeline = ids.pipeline,
        pipelineExecutionId = ids.pipeline_execution,
        stage = ids.stage,
        action = ids.action,
        actionExecutionId = ids.action_execution,
        externalExecutionId = Empty,
        exitCode = Empty,
        failureCode = Empty,
    )
}
