//! One invocation of the function, from its event to its response.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use super::now;
use crate::actions::ends_of_work;
use crate::event::Event;
use crate::watchdog::Watchdog;
use crate::worker::{Summary, Worker};

/// The parts that every invocation needs.
pub(super) struct Function {
    pub(super) worker: Arc<Worker>,
    /// The resources that jobs may wait for, each with the source of its events. `None` if an author's own actions may wait for
    /// any.
    pub(super) awaited: Option<Vec<(&'static str, String)>>,
    pub(super) function_timeout: Duration,
    pub(super) watchdog: Watchdog,
}

impl Function {
    /// Whether jobs may wait for work of this resource. An event without a name may be about any. A name may end with the version
    /// or alias that ran the work, after a colon.
    fn waits_for(&self, source: &str, resource: Option<&str>) -> bool {
        let (Some(awaited), Some(resource)) = (&self.awaited, resource) else { return true };
        let is =
            |known: &str| resource.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        awaited.iter().any(|(known_source, known)| *known_source == source && is(known))
    }
}

/// Replaces an empty payload by `null`, because empty text is not JSON.
pub(super) fn null_for_nothing(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if invocation.body.iter().all(u8::is_ascii_whitespace) {
        invocation.body = Bytes::from_static(b"null");
    }
    invocation
}

/// Handles one invocation, and logs why it failed. The runtime's own line shows the error's Rust type, so `telemetry` drops it.
pub(super) async fn handle(function: Arc<Function>, event: LambdaEvent<Value>) -> Result<Summary, Diagnostic> {
    let response = respond(function, event).await;
    if let Err(Diagnostic { error_type, error_message }) = &response {
        tracing::error!(errorType = error_type, "the invocation failed: {error_message}");
    }
    response
}

/// Runs the work in its own task, because a panic's message must not reach Lambda's response.
async fn respond(function: Arc<Function>, event: LambdaEvent<Value>) -> Result<Summary, Diagnostic> {
    let LambdaEvent { payload, context } = event;
    let woken_by =
        Event::parse(&payload, &ends_of_work()).map_err(|error| diagnostic("UnknownEvent", error.to_string()))?;
    let left = time_left(now(), context.deadline(), function.function_timeout);
    let _watched = function.watchdog.watch(left);
    let deadline = Instant::now() + left;
    let worker = Arc::clone(&function.worker);
    let invocation = async move {
        match woken_by {
            Event::Schedule => worker.invoke(deadline).await,
            Event::OwnInput => {
                tracing::info!(
                    "the event does not come from an AWS service: polling every action type, as for a scheduled event"
                );
                worker.invoke(deadline).await
            }
            Event::WorkEnded { source, resource } if function.waits_for(source, resource.as_deref()) => {
                worker.work_ended(deadline).await
            }
            Event::WorkEnded { source, .. } => {
                tracing::info!(
                    source,
                    "ignored the end of work: no action type in ACTIONS names the resource that ran it"
                );
                Ok(Summary::default())
            }
            Event::ActionStarted { action_type, execution_id, time } => {
                worker.action_started(&action_type, execution_id.as_deref(), time, deadline).await
            }
            Event::ActionOver { action_type, execution_id } => {
                worker.action_over(&action_type, execution_id.as_deref(), deadline).await
            }
            Event::ActionFailed { action_type, execution_id } => {
                worker.action_failed(&action_type, &execution_id, deadline).await
            }
            Event::InvokeJob => worker.run_job(&payload, deadline).await,
            Event::Ignored { what } => {
                tracing::info!("ignored {what}: it needs no action");
                Ok(Summary::default())
            }
        }
    };
    match tokio::spawn(invocation.in_current_span()).await {
        Ok(Ok(summary)) => Ok(summary),
        Ok(Err(error)) => Err(diagnostic("InvocationError", error.to_string())),
        Err(_) => Err(diagnostic("Panic", "the worker panicked; its log says where".into())),
    }
}

fn diagnostic(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: error_type.into(), error_message }
}

/// The time until the deadline. Lambda gives the deadline on the wall clock; the worker uses the monotonic clock.
///
/// `cargo lambda watch` sends a fixed small number, which as a time is in 1970. A deadline before Lambda
/// existed (2014) does not count; then the function's configured timeout counts from now.
fn time_left(now: SystemTime, deadline: SystemTime, function_timeout: Duration) -> Duration {
    const FIRST_LAMBDA: Duration = Duration::from_secs(1_388_534_400);
    if deadline < SystemTime::UNIX_EPOCH + FIRST_LAMBDA {
        return function_timeout;
    }
    // A wall clock that is behind must not give more time than the function has.
    deadline.duration_since(now).unwrap_or_default().min(function_timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_deadline_is_a_time_on_the_wall_clock() {
        let now = at(1_800_000_000);
        assert_eq!(time_left(now, at(1_800_000_060), TIMEOUT), Duration::from_secs(60));
        assert_eq!(time_left(now, at(1_799_999_999), TIMEOUT), Duration::ZERO);
    }

    #[test]
    fn deadline_in_1970_leaves_the_functions_timeout() {
        assert_eq!(time_left(at(1_800_000_000), at(600), TIMEOUT), TIMEOUT);
    }
}
