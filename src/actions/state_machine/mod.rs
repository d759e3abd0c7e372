//! The `stateMachine` action: an execution of a standard state machine of Step Functions.
//!
//! An execution has the name of the action execution, so a repeated start finds the same execution. Step Functions keeps
//! the name of an execution unique for 90 days. The continuation token is the execution's ARN, and every later job of the same
//! action execution describes it. While Step Functions is unavailable, the execution counts as running.
//!
//! The worker stages no files for it. The input says where the artifacts are. The output may name S3 objects for the worker to copy
//! to the action's output artifacts.

mod arn;
mod calls;
mod config;
mod failures;
mod input;
mod output;
mod token;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sfn::types::ExecutionStatus;
use tokio::time::Instant;

pub use self::arn::{ArnMistake, StateMachineArn};
use self::calls::{CallError, StepFunctions};
pub(super) use self::config::KIND;
use super::{Abandoned, Action, Remains, Turn};
use crate::job::{Artifact, Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};

const EXECUTION_NAME_INVALID: FailureCode = FailureCode::new("ExecutionNameInvalid");
const STATE_MACHINE_TOKEN_INVALID: FailureCode = FailureCode::new("StateMachineTokenInvalid");

/// The time for stopping an abandoned execution, with all tries.
const STOPPING: Duration = Duration::from_secs(30);

/// How long after its start Step Functions may not show an execution yet.
const SHOWN_AFTER: Duration = Duration::from_secs(60);

/// The error and the cause of a stopped execution.
type Why = (&'static str, &'static str);
const ABANDONED: Why = (
    "CodePipeline.Abandoned",
    "the CodePipeline action that this execution was started for was abandoned or cancelled",
);
const FAILED: Why = ("CodePipeline.Failed", "the CodePipeline action that this execution was started for has failed");

/// Runs an execution of a state machine for each job of an action type.
pub struct StateMachineAction {
    machine: StateMachineArn,
    service: StepFunctions,
}

impl StateMachineAction {
    /// An action that starts `machine`, with a client made from `sdk_config` for the machine's own region.
    pub fn new(sdk_config: &SdkConfig, machine: StateMachineArn) -> Self {
        let service = StepFunctions::new(sdk_config, machine.region());
        Self { machine, service }
    }

    /// Describes the execution. `known` means that it was started or found a moment ago. It then exists, even if Step Functions does
    /// not show it yet ("This operation is eventually consistent", `DescribeExecution`, API reference).
    async fn look(
        &self,
        execution: &str,
        known: bool,
        outputs: &[Artifact],
        until: Instant,
    ) -> Result<Outcome, Failure> {
        let found = match self.service.describe(execution, until).await {
            Ok(found) => found,
            Err(CallError::Unavailable { reason, .. }) => {
                tracing::warn!(execution, reason, "could not describe the execution; the next continuation retries");
                return Ok(running(execution));
            }
            Err(CallError::NotFound { .. }) if known => return Ok(running(execution)),
            Err(error) => return Err(failures::of_call(&error, &failures::LOOK, execution)),
        };
        match found.status {
            ExecutionStatus::Succeeded => {
                let finished = output::read(found.output.as_deref(), outputs)
                    .map_err(|mistake| failures::of_output(&mistake, execution))?;
                Ok(Outcome::Finished(Finished {
                    external_execution_id: finished.external_execution_id.or_else(|| Some(execution.to_owned())),
                    ..finished
                }))
            }
            ExecutionStatus::Failed => Err(failures::of_end("failed", found, execution)),
            ExecutionStatus::TimedOut => Err(failures::of_end("timed out", found, execution)),
            ExecutionStatus::Aborted => Err(failures::of_end("was stopped", found, execution)),
            // Running, waiting to be redriven, or in a state that AWS may add.
            _ => Ok(running(execution)),
        }
    }
}

impl StateMachineAction {
    /// The execution of the work, or `None` if no execution can have started.
    fn execution_of(&self, work: &Abandoned) -> Option<String> {
        match work.token.as_deref().map(token::read) {
            Some(Ok(execution)) => Some(execution.to_owned()),
            _ => arn::is_execution_name(&work.execution_id).then(|| self.machine.execution(&work.execution_id)),
        }
    }

    async fn end(&self, execution: &str, (error, cause): Why, until: Instant) -> Result<(), Failure> {
        match self.service.stop(execution, error, cause, until).await {
            Ok(()) => {
                tracing::info!(execution, error, "stopped the execution");
                Ok(())
            }
            Err(CallError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failures::of_call(&error, &failures::STOP, execution)),
        }
    }
}

impl Action for StateMachineAction {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        let name = turn.execution_id();
        if !arn::is_execution_name(name) {
            let message =
                "the id of the action execution can't be an execution's name, which has 1 to 80 of [0-9A-Za-z_-]";
            return Err(Failure::new(FailureKind::JobFailed, EXECUTION_NAME_INVALID, message));
        }
        let input = input::of(&turn)?;
        let until = turn.closing_time();
        let derived = self.machine.execution(name);
        match self.service.start(&self.machine, name, &input, until).await {
            Ok(started) if arn::is_express_execution(&started) => Err(failures::of_express(&self.machine, &started)),
            Ok(started) => {
                tracing::info!(execution = started, "started an execution, or found it running");
                Ok(running(&started))
            }
            Err(CallError::AlreadyExists) => {
                tracing::info!(execution = derived, "found an execution that an earlier try started");
                self.look(&derived, true, &turn.job.outputs, until).await
            }
            Err(error) => Err(failures::of_start(&error, &self.machine, &derived)),
        }
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        let execution = token::read(token).map_err(|mistake| {
            Failure::new(FailureKind::ConfigurationError, STATE_MACHINE_TOKEN_INVALID, mistake.to_string())
        })?;
        self.look(execution, turn.age < SHOWN_AFTER, &turn.job.outputs, turn.closing_time()).await
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        let Some(execution) = self.execution_of(abandoned) else { return Ok(()) };
        self.end(&execution, ABANDONED, Instant::now() + STOPPING).await
    }

    async fn stop_failed(&self, failed: &Abandoned) -> Result<Remains, Failure> {
        let Some(execution) = self.execution_of(failed) else { return Ok(Remains::Nothing) };
        let until = Instant::now() + STOPPING;
        match self.service.status(&execution, until).await {
            Ok(
                ExecutionStatus::Succeeded
                | ExecutionStatus::Failed
                | ExecutionStatus::TimedOut
                | ExecutionStatus::Aborted,
            )
            | Err(CallError::NotFound { .. }) => Ok(Remains::Nothing),
            Ok(_) => self.end(&execution, FAILED, until).await.map(|()| Remains::Stopped),
            Err(error) => Err(failures::of_call(&error, &failures::LOOK, &execution)),
        }
    }

    fn wants_files(&self) -> bool {
        false
    }
}

/// The console's URL of an execution ends with its ARN, so the ARN serves as `{ExternalExecutionId}` in the action type's URL.
fn running(execution: &str) -> Outcome {
    Outcome::Continue(Continuation {
        token: token::write(execution),
        summary: Some("the execution is running".to_owned()),
        external_execution_id: Some(execution.to_owned()),
        percent_complete: None,
    })
}
