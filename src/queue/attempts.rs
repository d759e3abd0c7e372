//! Tries a call until it is answered or its budget is spent, and remembers whether an earlier try may have taken effect.
//!
//! The SDK's own retries are switched off here (`max_attempts` 1 in the client): what a refusal means depends on whether
//! an earlier try's answer got lost, which the SDK does not tell.

use std::time::Duration;

use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep, timeout_at};

use crate::backoff::Backoff;

/// How long to go on with a call.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// At most this many tries.
    pub(super) tries: u32,
    /// No try begins, and none goes on, after this moment.
    pub(super) until: Instant,
}

/// How one try failed.
pub(super) struct Failed {
    pub(super) kind: FailedKind,
    /// The service's error code, where it sent one.
    pub(super) code: Option<String>,
    /// Whether its HTTP status says that whoever asks may not.
    is_denied: bool,
    /// Error code and HTTP status, or the kind of transport error: never a body.
    pub(super) reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FailedKind {
    /// The service said no to this request; it had no effect.
    Refused,
    /// The service asked us to slow down; it had no effect.
    Throttled,
    /// No answer, or one (5xx) that leaves open whether the request took effect.
    Doubtful,
}

/// The end of all tries.
pub(super) struct GaveUp {
    pub(super) last: Failed,
    pub(super) tries: u32,
    /// Whether any try before the last may have taken effect.
    pub(super) doubt_before: bool,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Calls `try_once` until it succeeds, is refused, or the budget is spent. Between tries it waits a random time up to
/// 100 ms, doubled each time up to 5 s ("full jitter"); 8 tries wait at most 100 + 200 + … + 3200 + 5000 ms = 11.3 s. It is
/// never at it past `until`: a try is cut off there, and a pause takes at most half of the time that is left.
pub(super) async fn attempts<T, E, F>(budget: Budget, try_once: impl FnMut() -> F) -> Result<T, GaveUp>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata,
{
    answered(budget, try_once).await.map(|answer| answer.reply)
}

/// The answer to one of several tries.
pub(super) struct Answer<T> {
    pub(super) reply: T,
    /// Whether any try before this one may have taken effect.
    pub(super) doubt_before: bool,
}

/// As [`attempts`], for who must know whether the answer stands alone.
pub(super) async fn answered<T, E, F>(budget: Budget, mut try_once: impl FnMut() -> F) -> Result<Answer<T>, GaveUp>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata,
{
    let mut doubt_before = false;
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut tries = 0;
    loop {
        if Instant::now() >= budget.until {
            return Err(GaveUp { last: Failed::unanswered("no time was left for it"), tries, doubt_before });
        }
        tries += 1;
        let last = match timeout_at(budget.until, try_once()).await {
            Ok(Ok(reply)) => return Ok(Answer { reply, doubt_before }),
            Ok(Err(error)) => classify(&error),
            Err(_) => Failed::unanswered("no answer in time"),
        };
        let is_final = last.kind == FailedKind::Refused || tries >= budget.tries;
        let left = budget.until.saturating_duration_since(Instant::now());
        let Some(pause) = backoff.pause_within(left).filter(|_| !is_final) else {
            return Err(GaveUp { last, tries, doubt_before });
        };
        doubt_before |= last.kind == FailedKind::Doubtful;
        sleep(pause).await;
    }
}

fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Failed {
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let code = error.code().unwrap_or("no error code");
            let kind = if code.starts_with("Throttl") || code == "TooManyRequestsException" || status == 429 {
                FailedKind::Throttled
            } else if status >= 500 {
                FailedKind::Doubtful
            } else {
                FailedKind::Refused
            };
            let is_denied = matches!(status, 401 | 403);
            Failed { kind, code: error.code().map(str::to_owned), is_denied, reason: format!("{code} (HTTP {status})") }
        }
        SdkError::ConstructionFailure(_) => Failed {
            kind: FailedKind::Refused,
            code: None,
            is_denied: false,
            reason: "the request could not be built".into(),
        },
        SdkError::TimeoutError(_) => Failed::unanswered("timeout"),
        // Credentials that can't be had end up here too, as neither timeout nor I/O: no harm in calling them doubtful.
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Failed::unanswered("timeout"),
        SdkError::DispatchFailure(failure) if failure.is_io() => Failed::unanswered("connection failed"),
        SdkError::DispatchFailure(_) => Failed::unanswered("the request could not be sent (are there credentials?)"),
        _ => Failed::unanswered("an answer that can't be read"),
    }
}

impl Failed {
    /// Whether the service refuses whoever asks, whatever is asked ("Common Error Types", CodePipeline API reference).
    pub(super) fn is_not_allowed(&self) -> bool {
        self.is_denied
            || matches!(
                self.code.as_deref(),
                Some(
                    "AccessDeniedException"
                        | "ExpiredTokenException"
                        | "IncompleteSignature"
                        | "InvalidClientTokenId"
                        | "InvalidSignatureException"
                        | "MissingAuthenticationToken"
                        | "NotAuthorized"
                        | "OptInRequired"
                        | "RequestExpired"
                        | "UnrecognizedClientException"
                )
            )
    }

    /// Whether the service says that the job is not on offer, or not with this nonce.
    pub(super) fn is_not_on_offer(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some("InvalidNonceException" | "JobNotFoundException" | "InvalidJobException" | "InvalidJobStateException")
        )
    }

    fn unanswered(reason: &str) -> Self {
        Self { kind: FailedKind::Doubtful, code: None, is_denied: false, reason: reason.to_owned() }
    }
}
