//! Calls to Step Functions, and the meaning of its error responses.
//!
//! The SDK's own retries are off, because the job's time limits the tries. Every call here may be repeated: an
//! execution's name makes even its start repeatable. So only the last response matters.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::Region;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::timeout::TimeoutConfig;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::{ExecutionStatus, IncludedData};
use tokio::time::Instant;

use super::arn::StateMachineArn;
use crate::calls::{Budget, ErrorResponse, Failed, GaveUp, LogCalls, Meaning, Pauses, retry, sort};

/// How long one try may take. Each call is one JSON exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));

/// A start has the most tries, because its failure fails the job. The turn's 30 s end them, never the count. They hold
/// about twenty tries if each gets a response at once: seven pauses of at most 100 + 200 + … + 5000 ms = 11.3 s, then 2.5 s
/// each on average.
const START_TRIES: u32 = 100;
/// Three tries of a look: 3 × 5 s and pauses of at most 100 + 200 ms, 15.3 s in all. The next continuation looks again.
const DESCRIBE_TRIES: u32 = 3;
/// A stop is not repeated later. Eight tries could take 8 × 5 s and pauses of at most 100 + 200 + … + 5000 ms = 11.3 s,
/// 51.3 s in all. The caller's 30 s or the end of the invocation cuts them short.
const STOP_TRIES: u32 = 8;

/// Why a call failed.
pub(super) enum CallError {
    /// Throttled, unanswered or a 5xx. A later call may succeed. `unanswered` if any try may have taken effect.
    Unavailable { reason: String, unanswered: bool },
    /// The function's role lacks the permission.
    Denied { reason: String },
    /// KMS does not let the function use the state machine's key, or the key can't be used.
    Key { reason: String, is_denied: bool },
    /// The execution or the state machine does not exist.
    NotFound { reason: String },
    /// An execution of that name exists, closed or with another input.
    AlreadyExists,
    /// Any other refusal. Trying again does not help.
    Refused { reason: String },
}

/// The current state of an execution.
pub(super) struct Execution {
    pub(super) status: ExecutionStatus,
    /// JSON, if the execution succeeded.
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

    /// Created at its first use, because a cold start that only polls does not need it.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(TRY).build();
            let config = aws_sdk_sfn::config::Builder::from(&self.config)
                .region(Region::new(self.region.clone()))
                .interceptor(LogCalls)
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts)
                .build();
            Client::from_conf(config)
        })
    }

    /// Starts an execution of that name, or finds it running. Returns its ARN.
    pub(super) async fn start(
        &self,
        machine: &StateMachineArn,
        name: &str,
        input: &str,
        until: Instant,
    ) -> Result<String, CallError> {
        let request = self.client().start_execution().state_machine_arn(machine.as_str()).name(name).input(input);
        let started = call(START_TRIES, until, || request.clone().send()).await?;
        Ok(started.execution_arn)
    }

    /// Returns the state of the execution.
    pub(super) async fn describe(&self, execution: &str, until: Instant) -> Result<Execution, CallError> {
        let request = self.client().describe_execution().execution_arn(execution);
        let described = call(DESCRIBE_TRIES, until, || request.clone().send()).await?;
        Ok(Execution {
            status: described.status,
            output: described.output,
            error: described.error,
            cause: described.cause,
        })
    }

    /// Returns the execution's status without its input and output. Nothing is decrypted, so this does not need the
    /// state machine's key.
    pub(super) async fn status(&self, execution: &str, until: Instant) -> Result<ExecutionStatus, CallError> {
        let request = self.client().describe_execution().execution_arn(execution);
        let request = request.included_data(IncludedData::MetadataOnly);
        let described = call(DESCRIBE_TRIES, until, || request.clone().send()).await?;
        Ok(described.status)
    }

    /// Stops the execution. One that has ended stays unchanged.
    pub(super) async fn stop(
        &self,
        execution: &str,
        error: &str,
        cause: &str,
        until: Instant,
    ) -> Result<(), CallError> {
        let request = self.client().stop_execution().execution_arn(execution).error(error).cause(cause);
        call(STOP_TRIES, until, || request.clone().send()).await.map(drop)
    }
}

/// Calls Step Functions until it responds or the budget is spent.
async fn call<T, E, F>(tries: u32, until: Instant, mut send: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata,
{
    let try_once = || {
        let sent = send();
        async move {
            sent.await.map_err(|error| {
                let is_about_key = error.message().is_some_and(|message| message.contains("kms:"));
                sort(&error, |response| codes(response, is_about_key)).with_credentials_hint()
            })
        }
    };
    let responded = retry(Budget { tries, until, pauses: PAUSES }, try_once).await;
    responded.map(|responded| responded.response).map_err(CallError::of)
}

/// The meaning of an error response for the job.
enum Refusal {
    Denied,
    Key { is_denied: bool },
    NotFound,
    AlreadyExists,
    Other,
}

/// Codes: the three operations' errors and "Common errors" (Step Functions API reference). `is_about_key` if the
/// message of a denial names an operation of KMS.
fn codes(response: &ErrorResponse<'_>, is_about_key: bool) -> (Meaning, Refusal) {
    let refused = |refusal| (Meaning::Refused, refusal);
    match response.code.unwrap_or_default() {
        "KmsAccessDeniedException" => refused(Refusal::Key { is_denied: true }),
        "KmsInvalidStateException" => refused(Refusal::Key { is_denied: false }),
        "AccessDeniedException" if is_about_key => refused(Refusal::Key { is_denied: true }),
        "KmsThrottlingException" | "ExecutionLimitExceeded" => (Meaning::Throttled, Refusal::Other),
        // The role's next credentials sign the next try.
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => (Meaning::Throttled, Refusal::Other),
        _ if response.meaning() != Meaning::Refused => (response.meaning(), Refusal::Other),
        "ExecutionAlreadyExists" => refused(Refusal::AlreadyExists),
        "ExecutionDoesNotExist" | "StateMachineDoesNotExist" | "StateMachineDeleting" => refused(Refusal::NotFound),
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "NotAuthorized"
        | "MissingAuthenticationToken" => refused(Refusal::Denied),
        _ if response.is_denied() => refused(Refusal::Denied),
        _ => refused(Refusal::Other),
    }
}

impl CallError {
    fn of(gave_up: GaveUp<Refusal>) -> Self {
        let unanswered = gave_up.is_unanswered();
        let Failed { meaning, reason, detail, .. } = gave_up.last;
        match detail {
            _ if meaning != Meaning::Refused => Self::Unavailable { reason, unanswered },
            Some(Refusal::Denied) => Self::Denied { reason },
            Some(Refusal::Key { is_denied }) => Self::Key { reason, is_denied },
            Some(Refusal::NotFound) => Self::NotFound { reason },
            Some(Refusal::AlreadyExists) => Self::AlreadyExists,
            Some(Refusal::Other) | None => Self::Refused { reason },
        }
    }
}
