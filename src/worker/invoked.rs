//! The job in a `CodePipeline.job` event.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use super::{Worker, span};
use crate::job::{Failure, FailureCode, FailureKind};
use crate::lifecycle::{End, Invocation};
use crate::metrics::JobMeter;
use crate::queue::{Claim, InvalidInvokeJob, Invoked, InvokedJob};

const ACTION_TYPE_NOT_SERVED: FailureCode = FailureCode::new("ActionTypeNotServed");
const JOB_DATA_MISSING: FailureCode = FailureCode::new("JobDataMissing");

/// Runs and reports the job, or fails it if there is nothing to run.
pub(super) async fn run(worker: &Worker, event: &Value, deadline: Instant) -> Result<End, InvalidInvokeJob> {
    let action_type = InvokedJob::action_type();
    match InvokedJob::from_event(event, (worker.lifecycle.wall_clock)())? {
        Invoked::Job(invoked) => {
            let span = span::of_job(&invoked.details.job);
            let served = worker.served.iter().find(|served| served.action_type == action_type);
            let life = async {
                let meter = Arc::new(JobMeter::new(&worker.lifecycle.metrics, &action_type));
                tracing::info!("received the job in an event");
                let end = if let Some(served) = served {
                    worker.lifecycle.live_invoked(*invoked, served, Invocation::until(deadline), &meter).await
                } else {
                    let why = format!("the worker has no action for {action_type}: add one to ACTIONS of the function");
                    refuse(worker, invoked.claim, ACTION_TYPE_NOT_SERVED, why, deadline).await
                };
                end.measure(&meter)
            };
            Ok(life.instrument(span).await)
        }
        Invoked::WithoutData(claim) => {
            let span = span::of_bare_job(claim.key().id(), &action_type);
            let why = "the CodePipeline.job event has no job data, so there is nothing to run: invoke the worker through a \
                       Lambda Invoke action, whose events hold the member data";
            let life = async {
                let meter = JobMeter::new(&worker.lifecycle.metrics, &action_type);
                refuse(worker, claim, JOB_DATA_MISSING, why.to_owned(), deadline).await.measure(&meter)
            };
            Ok(life.instrument(span).await)
        }
    }
}

/// Fails the job without running it, unless it belongs to another type of action: a caller of the function can put any job's id
/// into an event.
async fn refuse(worker: &Worker, claim: Claim, code: FailureCode, why: String, deadline: Instant) -> End {
    let half_time = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
    match worker.lifecycle.queue.other_type(claim.key(), half_time).await {
        Ok(None) => {
            worker.lifecycle.refuse(claim, Failure::new(FailureKind::ConfigurationError, code, why), deadline).await
        }
        Ok(Some(found)) => {
            tracing::error!(
                %found,
                "ignored the job in this CodePipeline.job event: it does not belong to a Lambda Invoke action"
            );
            End::Lost
        }
        Err(error) => {
            tracing::error!(
                %error, reason = why,
                "could not find out the type of a job that can't be run, so it was not failed: it hangs until its action times out"
            );
            End::Unreported
        }
    }
}
