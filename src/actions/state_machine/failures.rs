//! Failures of an execution, in words for the job.

use super::StateMachineArn;
use super::calls::{CallError, Execution};
use crate::job::{Failure, FailureCode, FailureKind};

const EXECUTION_START_UNANSWERED: FailureCode = FailureCode::new("ExecutionStartUnanswered");
const STEP_FUNCTIONS_UNAVAILABLE: FailureCode = FailureCode::new("StepFunctionsUnavailable");
const STEP_FUNCTIONS_DENIED: FailureCode = FailureCode::new("StepFunctionsDenied");
const STATE_MACHINE_KEY_UNUSABLE: FailureCode = FailureCode::new("StateMachineKeyUnusable");
const STATE_MACHINE_NOT_FOUND: FailureCode = FailureCode::new("StateMachineNotFound");
const EXECUTION_ALREADY_EXISTS: FailureCode = FailureCode::new("ExecutionAlreadyExists");
const STEP_FUNCTIONS_REFUSED: FailureCode = FailureCode::new("StepFunctionsRefused");
const EXPRESS_STATE_MACHINE: FailureCode = FailureCode::new("ExpressStateMachine");
const EXECUTION_NOT_FOUND: FailureCode = FailureCode::new("ExecutionNotFound");
const EXECUTION_ENDED_BADLY: FailureCode = FailureCode::new("ExecutionEndedBadly");
const EXECUTION_OUTPUT_INVALID: FailureCode = FailureCode::new("ExecutionOutputInvalid");

/// An execution could not be started.
pub(super) fn of_start(error: &CallError, machine: &StateMachineArn, execution: &str) -> Failure {
    let machine = machine.as_str();
    match error {
        CallError::Unavailable { reason, unanswered: true } => {
            let message = format!(
                "Step Functions did not say whether it started the state machine {machine} ({reason}): if the execution \
                 {execution} exists, stop it before you run the action again"
            );
            of_execution(FailureKind::SystemUnavailable, EXECUTION_START_UNANSWERED, message, execution)
        }
        CallError::Unavailable { reason, .. } => {
            let message = format!("could not start the state machine {machine} ({reason}): run the action again later");
            Failure::new(FailureKind::SystemUnavailable, STEP_FUNCTIONS_UNAVAILABLE, message)
        }
        CallError::Denied { reason } => {
            let message = format!(
                "the function's role may not start the state machine {machine} ({reason}): allow it states:StartExecution there"
            );
            Failure::new(FailureKind::PermissionError, STEP_FUNCTIONS_DENIED, message)
        }
        CallError::Key { reason, is_denied } => {
            let kind = if *is_denied { FailureKind::PermissionError } else { FailureKind::ConfigurationError };
            let advice = key_advice(*is_denied, "kms:Decrypt and kms:GenerateDataKey");
            Failure::new(
                kind,
                STATE_MACHINE_KEY_UNUSABLE,
                format!("could not start the state machine {machine} ({reason}): {advice}"),
            )
        }
        CallError::NotFound { reason } => {
            let message = format!(
                "could not start the state machine {machine} ({reason}): create it, or correct its ARN in ACTIONS"
            );
            Failure::new(FailureKind::ConfigurationError, STATE_MACHINE_NOT_FOUND, message)
        }
        CallError::AlreadyExists => {
            let message = already_exists(execution);
            of_execution(FailureKind::JobFailed, EXECUTION_ALREADY_EXISTS, message, execution)
        }
        CallError::Refused { reason } => {
            let message = format!(
                "Step Functions refused to start the state machine {machine} ({reason}): check its ARN in ACTIONS and its \
                 definition"
            );
            Failure::new(FailureKind::ConfigurationError, STEP_FUNCTIONS_REFUSED, message)
        }
    }
}

/// An express machine was started: by then it runs, and nothing can look at it or stop it.
pub(super) fn of_express(machine: &StateMachineArn, execution: &str) -> Failure {
    let message = format!(
        "{} is an express state machine, whose executions can't be found again: use a standard one. The execution {execution} \
         was started before this could be told, and runs for up to five minutes",
        machine.as_str()
    );
    of_execution(FailureKind::ConfigurationError, EXPRESS_STATE_MACHINE, message, execution)
}

/// A call about an execution, and the permission that it needs.
pub(super) struct Doing {
    what: &'static str,
    permission: &'static str,
    /// On the key that the state machine is encrypted with.
    key_permission: &'static str,
}

pub(super) const LOOK: Doing =
    Doing { what: "describe", permission: "states:DescribeExecution", key_permission: "kms:Decrypt" };
pub(super) const STOP: Doing =
    Doing { what: "stop", permission: "states:StopExecution", key_permission: "kms:Decrypt and kms:GenerateDataKey" };

fn key_advice(is_denied: bool, permission: &str) -> String {
    if is_denied {
        return format!(
            "the function's role may not use the KMS key that the state machine is encrypted with; allow it {permission} on \
             that key"
        );
    }
    format!(
        "the KMS key that the state machine is encrypted with can't be used; enable that key, and allow the function's role \
         {permission} on it"
    )
}

/// The failure if Step Functions refuses to describe or stop an execution. Unless the execution is gone, it may continue.
pub(super) fn of_call(error: &CallError, doing: &Doing, execution: &str) -> Failure {
    let Doing { what: doing, permission, key_permission } = doing;
    let (kind, code, message) = match error {
        CallError::Key { reason, is_denied } => (
            if *is_denied { FailureKind::PermissionError } else { FailureKind::ConfigurationError },
            STATE_MACHINE_KEY_UNUSABLE,
            format!(
                "could not {doing} the execution {execution} ({reason}): {}",
                key_advice(*is_denied, key_permission)
            ),
        ),
        CallError::Denied { reason } => (
            FailureKind::PermissionError,
            STEP_FUNCTIONS_DENIED,
            format!(
                "the function's role may not {doing} the execution {execution} ({reason}): allow it {permission} there"
            ),
        ),
        CallError::NotFound { reason } => (
            FailureKind::JobFailed,
            EXECUTION_NOT_FOUND,
            format!(
                "could not {doing} the execution {execution} ({reason}): it no longer exists; if its state machine was \
                 deleted, create it again"
            ),
        ),
        CallError::Unavailable { reason, .. } => (
            FailureKind::SystemUnavailable,
            STEP_FUNCTIONS_UNAVAILABLE,
            format!(
                "could not {doing} the execution {execution} ({reason}): Step Functions may be down or out of reach"
            ),
        ),
        CallError::Refused { reason } => (
            FailureKind::ConfigurationError,
            STEP_FUNCTIONS_REFUSED,
            format!(
                "Step Functions refused to {doing} the execution {execution} ({reason}): check the state machine's ARN in \
                 ACTIONS"
            ),
        ),
        CallError::AlreadyExists => (FailureKind::JobFailed, EXECUTION_ALREADY_EXISTS, already_exists(execution)),
    };
    Failure { runs_on: !matches!(error, CallError::NotFound { .. }), ..of_execution(kind, code, message, execution) }
}

/// The execution did not succeed. If its error is a name, the message has it. Any other error and the cause may hold
/// anything, so they become output.
pub(super) fn of_end(how: &str, ended: Execution, execution: &str) -> Failure {
    let name = ended.error.filter(|error| !error.is_empty());
    let (named, unnamed) = match name {
        Some(name) if is_error_name(&name) => (format!(" with the error `{name}`"), None),
        other => (String::new(), other),
    };
    let said: Vec<String> = [unnamed, ended.cause].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    let message = format!("the execution {execution} {how}{named}");
    let failure = of_execution(FailureKind::JobFailed, EXECUTION_ENDED_BADLY, message, execution);
    Failure { output: (!said.is_empty()).then(|| said.join("\n")), ..failure }
}

fn already_exists(execution: &str) -> String {
    format!("the execution {execution} already exists: run the action again, which starts an execution with a new name")
}

/// The execution's output can't be used.
pub(super) fn of_output(mistake: &str, execution: &str) -> Failure {
    let message = format!("the execution {execution} succeeded, but its output can't be used: {mistake}");
    of_execution(FailureKind::JobFailed, EXECUTION_OUTPUT_INVALID, message, execution)
}

fn of_execution(kind: FailureKind, code: FailureCode, message: String, execution: &str) -> Failure {
    Failure { external_execution_id: Some(execution.to_owned()), ..Failure::new(kind, code, message) }
}

/// `States.TaskFailed`, `java.lang.IllegalStateException`: names without white space ("Error names", Developer Guide).
fn is_error_name(text: &str) -> bool {
    text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':'))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;

    use super::*;

    fn failed(error: Option<&str>, cause: Option<&str>) -> Failure {
        let ended = Execution {
            status: ExecutionStatus::Failed,
            output: None,
            error: error.map(str::to_owned),
            cause: cause.map(str::to_owned),
        };
        of_end("failed", ended, "e")
    }

    #[test]
    fn an_errors_name_is_in_the_message_and_its_cause_is_not() {
        let failure = failed(Some("States.TaskFailed"), Some("the host db-7 refused hunter22"));
        assert_eq!(failure.message, "the execution e failed with the error `States.TaskFailed`");
        assert_eq!(failure.output.as_deref(), Some("the host db-7 refused hunter22"));
        assert_eq!(failure.external_execution_id.as_deref(), Some("e"));
    }

    #[test]
    fn an_error_that_is_no_name_is_output_too() {
        let failure = failed(Some("the host db-7 refused"), Some("because"));
        assert_eq!(failure.message, "the execution e failed");
        assert_eq!(failure.output.as_deref(), Some("the host db-7 refused\nbecause"));
        assert_eq!(failed(None, None).output, None);
        assert_eq!(failed(Some(""), Some("")).output, None);
    }
}
