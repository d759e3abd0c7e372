//! Calls to Step Functions, and what their refusals mean here.
//!
//! The SDK's own retries are switched off: how long to go on is the job's affair. Every call here may be repeated (an
//! execution's name makes even its start so), and only the last answer matters.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::Region;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::timeout::TimeoutConfig;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::{ExecutionStatus, IncludedData};
use tokio::time::{Instant, sleep, timeout_at};

use super::arn::StateMachineArn;
use crate::backoff::Backoff;

/// How long one try may take. Everything here is one JSON exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A start is tried longest, since it fails the job: the turn's 30 s end it and never the count. If each is answered at once
/// there are some twenty tries in them, 7 of them after pauses of at most 100 + 200 + … + 5000 ms = 11.3 s.
const START_TRIES: u32 = 100;
/// A look is tried three times, 3 × 5 s and pauses of at most 100 + 200 ms = 15.3 s: the next continuation looks again.
const DESCRIBE_TRIES: u32 = 3;
/// A stop has no next time. 8 tries, 8 × 5 s and pauses of at most 100 + 200 + … + 5000 ms = 11.3 s, would take 51.3 s; the
/// caller's 30 s or the invocation's end cut that short.
const STOP_TRIES: u32 = 8;

/// Why a call did not do what it should.
pub(super) enum CallError {
    /// Throttled, not answered or a 5xx: another time it may be otherwise.
    Unavailable { reason: String, doubtful: bool },
    /// The function's role may not do it.
    Denied { reason: String },
    /// KMS does not let the function use the state machine's key, or can't use that key itself.
    Key { reason: String, is_denied: bool },
    /// There is no such execution or state machine.
    NotFound { reason: String },
    /// There is an execution of that name, closed or with another input.
    AlreadyExists,
    /// Anything else that won't change by itself.
    Refused { reason: String },
}

/// An execution as it is now.
pub(super) struct Execution {
    pub(super) status: ExecutionStatus,
    /// JSON, if it succeeded.
    pub(super) output: Option<String>,
    /// At most 256 characters, if it failed.
    pub(super) error: Option<String>,
    /// At most 32 768 characters, if it failed.
    pub(super) cause: Option<String>,
}

/// Step Functions in one region.
pub(super) struct StepFunctions {
    config: SdkConfig,
    region: String,
    client: OnceLock<Client>,
}

impl StepFunctions {
    pub(super) fn new(config: &SdkConfig, region: &str) -> Self {
        Self { config: config.clone(), region: region.to_owned(), client: OnceLock::new() }
    }

    /// Made at first use: a cold start that only polls goes without.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(TRY).build();
            let config = aws_sdk_sfn::config::Builder::from(&self.config)
                .region(Region::new(self.region.clone()))
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts)
                .build();
            Client::from_conf(config)
        })
    }

    /// Starts the execution of that name, or finds it running: its ARN.
    pub(super) async fn start(
        &self,
        machine: &StateMachineArn,
        name: &str,
        input: &str,
        until: Instant,
    ) -> Result<String, CallError> {
        let request = self.client().start_execution().state_machine_arn(machine.as_str()).name(name).input(input);
        let started = attempts(START_TRIES, until, || request.clone().send()).await?;
        Ok(started.execution_arn)
    }

    /// Looks at the execution.
    pub(super) async fn describe(&self, execution: &str, until: Instant) -> Result<Execution, CallError> {
        let request = self.client().describe_execution().execution_arn(execution);
        let described = attempts(DESCRIBE_TRIES, until, || request.clone().send()).await?;
        Ok(Execution {
            status: described.status,
            output: described.output,
            error: described.error,
            cause: described.cause,
        })
    }

    /// How the execution stands, without its input and output. So nothing is decrypted, and the machine's key is not needed.
    pub(super) async fn status(&self, execution: &str, until: Instant) -> Result<ExecutionStatus, CallError> {
        let request = self.client().describe_execution().execution_arn(execution);
        let request = request.included_data(IncludedData::MetadataOnly);
        let described = attempts(DESCRIBE_TRIES, until, || request.clone().send()).await?;
        Ok(described.status)
    }

    /// Stops the execution. One that is over stays as it is.
    pub(super) async fn stop(
        &self,
        execution: &str,
        error: &str,
        cause: &str,
        until: Instant,
    ) -> Result<(), CallError> {
        let request = self.client().stop_execution().execution_arn(execution).error(error).cause(cause);
        attempts(STOP_TRIES, until, || request.clone().send()).await.map(drop)
    }
}

/// Calls until there is an answer other than [`CallError::Unavailable`], the tries are used up, or `until` comes. Between
/// tries it waits a random time up to 100 ms, doubled each time up to 5 s ("full jitter"); it is never at it past `until`, and a pause takes at most half of the time that is left. The
/// error is doubtful if any of the tries may have had an effect.
async fn attempts<T, E, F>(tries: u32, until: Instant, mut try_once: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata,
{
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut left = tries;
    let mut doubt = false;
    loop {
        left = left.saturating_sub(1);
        let error = match timeout_at(until, try_once()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => classify(&error),
            Err(_) => unanswered("no answer in time"),
        };
        let CallError::Unavailable { reason, doubtful } = error else { return Err(error) };
        doubt |= doubtful;
        let time_left = until.saturating_duration_since(Instant::now());
        let Some(pause) = backoff.pause_within(time_left).filter(|_| left > 0) else {
            return Err(CallError::Unavailable { reason, doubtful: doubt });
        };
        sleep(pause).await;
    }
}

/// Only the error's code and the status get out: the error itself may hold an input or an output.
fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>) -> CallError {
    match error {
        SdkError::ServiceError(context) => {
            let is_about_key = error.message().is_some_and(|message| message.contains("kms:"));
            answered(error.code(), context.raw().status().as_u16(), is_about_key)
        }
        SdkError::ConstructionFailure(_) => CallError::Refused { reason: "the request could not be built".into() },
        SdkError::TimeoutError(_) => unanswered("no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => unanswered("no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_io() => unanswered("the connection failed"),
        SdkError::DispatchFailure(_) => unanswered("the request could not be sent (are there credentials?)"),
        _ => unanswered("an answer that can't be read"),
    }
}

fn unanswered(reason: &str) -> CallError {
    CallError::Unavailable { reason: reason.to_owned(), doubtful: true }
}

/// Codes: the three operations' errors and "Common errors" (Step Functions API reference). A denial `is_about_key` if its message
/// names an operation of KMS.
fn answered(code: Option<&str>, status: u16, is_about_key: bool) -> CallError {
    let code = code.unwrap_or("no error code");
    let reason = format!("{code}, HTTP {status}");
    match (code, status) {
        ("KmsAccessDeniedException", _) => CallError::Key { reason, is_denied: true },
        ("KmsInvalidStateException", _) => CallError::Key { reason, is_denied: false },
        ("AccessDeniedException", _) if is_about_key => CallError::Key { reason, is_denied: true },
        (
            "ThrottlingException" | "TooManyRequestsException" | "KmsThrottlingException" | "ExecutionLimitExceeded",
            _,
        )
        | (_, 429) => CallError::Unavailable { reason, doubtful: false },
        // The next try is made with the role's next credentials.
        ("ExpiredTokenException" | "ExpiredToken" | "RequestExpired", _) => {
            CallError::Unavailable { reason, doubtful: false }
        }
        (_, 500..) => CallError::Unavailable { reason, doubtful: true },
        ("ExecutionAlreadyExists", _) => CallError::AlreadyExists,
        ("ExecutionDoesNotExist" | "StateMachineDoesNotExist" | "StateMachineDeleting", _) => {
            CallError::NotFound { reason }
        }
        (
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "NotAuthorized"
            | "MissingAuthenticationToken",
            _,
        )
        | (_, 401 | 403) => CallError::Denied { reason },
        _ => CallError::Refused { reason },
    }
}
