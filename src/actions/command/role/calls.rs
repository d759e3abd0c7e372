//! The call to STS, and the meaning of its error responses.
//!
//! The SDK's own retries are off, because the job's time limits the tries. A repeated call only creates another session, so only the
//! last response matters.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::types::{Credentials, Tag};
use tokio::time::Instant;

use super::arn::RoleArn;
use super::request::Tags;
use crate::calls::{Budget, ErrorResponse, Failed, GaveUp, LogCalls, Meaning, NoResponse, Pauses, retry, sort};

/// How long one try may take. The call is one small exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
/// The caller's time ends the tries, never the count. Its 10 s hold some twelve tries if each gets a response at once. Five pauses take
/// at most 100 + 200 + … + 1600 ms = 3.1 s, and each further pause at most 2 s. On average they take half of that.
const TRIES: u32 = 100;

/// Why STS gave no credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No time was left for the first try.
    NoTime,
    /// Throttled, unanswered or a 5xx. A later call may succeed.
    Unavailable,
    /// The function's role may not assume the role, or the role does not trust it. The role may not exist.
    Denied,
    /// The same, for the tags of the session.
    TaggingDenied,
    /// STS does not accept the function's own credentials.
    Credentials,
    /// The account does not use STS in the function's region.
    RegionDisabled,
    /// The role allows only shorter sessions.
    Duration,
    /// The tags of this session and of the function's own are too large together.
    Tags,
    /// Any other refusal. Trying again does not help.
    Refused,
}

/// A call without credentials: the cause, and STS's error code and status.
pub(super) struct CallError {
    pub(super) cause: Cause,
    pub(super) reason: String,
}

/// STS in the function's region.
pub(super) struct Sts {
    config: SdkConfig,
    client: OnceLock<Client>,
}

impl Sts {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), client: OnceLock::new() }
    }

    /// Created at its first use, because a cold start that only polls does not need it.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(TRY).build();
            let config = aws_sdk_sts::config::Builder::from(&self.config)
                .interceptor(LogCalls)
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts)
                .build();
            Client::from_conf(config)
        })
    }

    /// Assumes the role, in a session with this name and these tags.
    pub(super) async fn assume(
        &self,
        role: &RoleArn,
        seconds: i32,
        name: &str,
        tags: &Tags<'_>,
        until: Instant,
    ) -> Result<Credentials, CallError> {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build());
        let tags: Vec<_> = tags
            .collect::<Result<_, _>>()
            .map_err(|_| CallError { cause: Cause::Refused, reason: NoResponse::NotBuilt.reason().to_owned() })?;
        let request = self.client().assume_role().role_arn(role.as_str()).role_session_name(name);
        let request = request.duration_seconds(seconds).set_tags(Some(tags).filter(|tags| !tags.is_empty()));
        let try_once = || {
            let sent = request.clone().send();
            async move {
                sent.await.map_err(|error| {
                    let message = error.message().unwrap_or_default().to_owned();
                    sort(&error, |response| codes(response, &message)).with_credentials_hint()
                })
            }
        };
        let budget = Budget { tries: TRIES, until, pauses: PAUSES };
        let assumed = retry(budget, try_once).await.map_err(CallError::of)?.response;
        assumed.credentials.ok_or_else(|| CallError {
            cause: Cause::Unavailable,
            reason: "the response has no credentials".to_owned(),
        })
    }
}

/// Codes: the errors of `AssumeRole` and "Common errors" (STS API reference). `message` is STS's own.
fn codes(response: &ErrorResponse<'_>, message: &str) -> (Meaning, Cause) {
    let refused = |cause| (Meaning::Refused, cause);
    match response.code.unwrap_or_default() {
        // The function's next credentials sign the next try.
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => (Meaning::Throttled, Cause::Unavailable),
        _ if response.meaning() != Meaning::Refused => (response.meaning(), Cause::Unavailable),
        "AccessDenied" | "AccessDeniedException" if message.contains("sts:TagSession") => refused(Cause::TaggingDenied),
        "AccessDenied" | "AccessDeniedException" => refused(Cause::Denied),
        "RegionDisabledException" => refused(Cause::RegionDisabled),
        "PackedPolicyTooLarge" => refused(Cause::Tags),
        "ValidationError" if message.contains("DurationSeconds") => refused(Cause::Duration),
        "InvalidClientTokenId" | "SignatureDoesNotMatch" | "MissingAuthenticationToken" | "OptInRequired" => {
            refused(Cause::Credentials)
        }
        _ if response.is_denied() => refused(Cause::Denied),
        _ => refused(Cause::Refused),
    }
}

impl CallError {
    fn of(gave_up: GaveUp<Cause>) -> Self {
        let Failed { meaning, reason, detail, no_response } = gave_up.last;
        let cause = match detail {
            None if no_response == Some(NoResponse::NoTimeLeft) && gave_up.tries == 0 => Cause::NoTime,
            _ if meaning != Meaning::Refused => Cause::Unavailable,
            detail => detail.unwrap_or(Cause::Refused),
        };
        Self { cause, reason }
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::*;

    #[test]
    fn each_refusal_has_its_cause() {
        for (code, status, message, expected) in [
            ("AccessDenied", 403, "is not authorized to perform: sts:AssumeRole on resource", Cause::Denied),
            ("AccessDenied", 403, "is not authorized to perform: sts:TagSession on resource", Cause::TaggingDenied),
            ("RegionDisabledException", 403, "STS is not activated", Cause::RegionDisabled),
            ("PackedPolicyTooLarge", 400, "Packed size of session tags consumes 101%", Cause::Tags),
            ("ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration", Cause::Duration),
            ("ValidationError", 400, "1 validation error detected at 'roleArn'", Cause::Refused),
            ("MalformedPolicyDocument", 400, "", Cause::Refused),
            ("InvalidClientTokenId", 403, "", Cause::Credentials),
            ("NotKnown", 403, "", Cause::Denied),
        ] {
            let response = ErrorResponse { code: Some(code), status: Some(status) };
            assert_eq!(codes(&response, message), (Meaning::Refused, expected), "{code}: {message}");
        }
    }

    #[test]
    fn passing_trouble_is_tried_again() {
        for (code, status, expected) in [
            ("Throttling", 400, Meaning::Throttled),
            ("ExpiredTokenException", 400, Meaning::Throttled),
            ("InternalFailure", 500, Meaning::Unanswered),
            ("ServiceUnavailable", 503, Meaning::Unanswered),
        ] {
            let response = ErrorResponse { code: Some(code), status: Some(status) };
            assert_eq!(codes(&response, ""), (expected, Cause::Unavailable), "{code}");
        }
    }

    /// The clock runs only while nothing else happens, so that the load of the machine does not matter.
    #[tokio::test(start_paused = true)]
    async fn unanswered_request_ends_when_its_time_is_up() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .build();
        let role = RoleArn::parse("arn:aws:iam::111122223333:role/deploy").unwrap();
        let (sts, begun) = (Sts::new(&config), Instant::now());
        let until = begun + Duration::from_secs(10);
        let error = sts.assume(&role, 900, "session", &Vec::new(), until).await.err().unwrap();
        assert_eq!((error.cause, error.reason.as_str()), (Cause::Unavailable, "no response in time"));
        assert!(begun.elapsed() <= Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}
