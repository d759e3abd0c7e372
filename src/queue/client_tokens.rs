//! Client tokens of third-party jobs, from AWS Secrets Manager: one secret for each client, named by a prefix and the
//! client's id. The only file that names `aws_sdk_secretsmanager`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::secret_text;
use crate::calls::{ErrorResponse, Failed, Kind, NoResponse, Pauses, retry_paced, sort};

/// A token is looked up again after 5 minutes, so that a replaced one is soon known.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// All tries of one look-up together: the SDK's three, 3 × 3 s and pauses of at most 1 + 2 s, would be 12 s, which this cuts
/// short. Whoever asks may have less time, which ends it, too.
const LOOK_UP: Duration = Duration::from_secs(6);
const TRY: Duration = Duration::from_secs(3);

/// Between look-ups of who insists there is a random time up to 200 ms, doubled each time up to 5 s: five pauses are 200 +
/// 400 + … + 3200 ms = 6.2 s at most. Only the time of who asks ends it, that of a report: in its last 10 s there are some
/// seven look-ups that are refused at once, four that the SDK tries three times, or one that hangs.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(5));

/// What is wrong with a client's token. No variant holds the token or the secret's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// `CLIENT_TOKENS_SECRET` is not set.
    #[error("no prefix of client-token secrets is configured: set CLIENT_TOKENS_SECRET")]
    NotConfigured,
    /// There is no such secret.
    #[error("Secrets Manager has no secret '{0}': store the client's token there")]
    NoSecret(String),
    /// Secrets Manager refused or did not answer.
    #[error("the secret '{secret}' could not be read: {reason}")]
    Unreadable {
        /// The secret's name.
        secret: String,
        /// The error's code or kind.
        reason: String,
    },
    /// The secret holds something else.
    #[error(
        "the secret '{0}' holds no client token: it must be a text of 1 to 256 characters, or a JSON object with such a \
         text as its member clientToken"
    )]
    Malformed(String),
    /// CodePipeline does not take the token.
    #[error("CodePipeline refuses the client token that its secret holds (InvalidClientTokenException)")]
    Refused,
}

/// Looks client tokens up and remembers them for a while.
pub(super) struct ClientTokens {
    shared: SdkConfig,
    prefix: Option<String>,
    /// Made at the first look-up: most workers serve no third-party jobs.
    client: OnceLock<Client>,
    /// A slot for each client, locked while its token is fetched, so that jobs of one client cost one fetch.
    slots: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<tokio::sync::Mutex<Known>>;

/// What the latest look-ups of one client's token brought.
#[derive(Default)]
struct Known {
    token: Option<Cached>,
    failure: Option<Failure>,
}

struct Cached {
    token: SecretString,
    fetched_at: Instant,
}

struct Failure {
    problem: TokenProblem,
    failed_at: Instant,
}

/// Who asks for a token: for how long, and what of earlier answers will do.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    /// The look-up ends at this moment, done or not.
    pub(super) until: Instant,
    /// A look-up that has failed since then need not be tried again.
    pub(super) since: Instant,
    /// Whether a secret that can't be read is tried again while there is time.
    pub(super) insists: bool,
}

impl Asking {
    /// Asks on behalf of a claimed job, which has nobody else to go on for it.
    pub(super) fn insisting(until: Instant) -> Self {
        Self { until, since: Instant::now(), insists: true }
    }
}

impl ClientTokens {
    pub(super) fn new(shared: SdkConfig, prefix: Option<String>) -> Self {
        Self { shared, prefix, client: OnceLock::new(), slots: Mutex::default() }
    }

    /// The client's token, as it is remembered or as the secret says.
    pub(super) async fn token(&self, client_id: &str, asking: Asking) -> Result<SecretString, TokenProblem> {
        self.asked_for(client_id, asking, |cached| cached.fetched_at.elapsed() < LIFE).await
    }

    /// Another token than `refused`, which the service does not take: the one that another job has fetched meanwhile, or
    /// what the secret says now.
    pub(super) async fn replacement(
        &self,
        client_id: &str,
        refused: &SecretString,
        asking: Asking,
    ) -> Result<SecretString, TokenProblem> {
        self.asked_for(client_id, asking, |cached| cached.token.expose_secret() != refused.expose_secret()).await
    }

    /// The remembered token if it is `good`, else what the secret says. Who insists has it looked up again and again.
    async fn asked_for(
        &self,
        client_id: &str,
        asking: Asking,
        good: impl Fn(&Cached) -> bool + Copy,
    ) -> Result<SecretString, TokenProblem> {
        let mut since = Some(asking.since);
        let try_once = || {
            let asking = Asking { since: since.take().unwrap_or_else(Instant::now), ..asking };
            async move {
                let found = self.in_time(client_id, asking, self.known_or_fetched(client_id, asking, good)).await;
                found.map_err(|problem| failed(problem, asking.insists))
            }
        };
        // Past the deadline a remembered token still serves, so each look-up ends by itself.
        let looked_up = retry_paced(None, |tried, _| PAUSES.within(tried, asking.until), try_once).await;
        looked_up.map(|found| found.response).map_err(|gave_up| {
            let late = TokenProblem::Unreadable { secret: self.secret(client_id), reason: gave_up.last.reason };
            gave_up.last.detail.unwrap_or(late)
        })
    }

    fn secret(&self, client_id: &str) -> String {
        format!("{}{client_id}", self.prefix.as_deref().unwrap_or_default())
    }

    async fn in_time(
        &self,
        client_id: &str,
        asking: Asking,
        looking: impl Future<Output = Result<SecretString, TokenProblem>>,
    ) -> Result<SecretString, TokenProblem> {
        let reason = || NoResponse::Late.reason().to_owned();
        let late = |_| Err(TokenProblem::Unreadable { secret: self.secret(client_id), reason: reason() });
        timeout_at(asking.until, looking).await.unwrap_or_else(late)
    }

    /// The remembered token if it is `good`, else what the secret says, which must be `good` too: a token that is no
    /// longer good although it has just been fetched is one that the service refuses.
    async fn known_or_fetched(
        &self,
        client_id: &str,
        asking: Asking,
        good: impl Fn(&Cached) -> bool,
    ) -> Result<SecretString, TokenProblem> {
        let slot = self.slot(client_id);
        let mut known = slot.lock().await;
        if let Some(cached) = known.token.as_ref().filter(|cached| good(cached)) {
            return Ok(cached.token.clone());
        }
        if let Some(failed) = known.failure.as_ref().filter(|failed| failed.failed_at >= asking.since) {
            return Err(failed.problem.clone());
        }
        *known = Known::default();
        let problem = match self.fetch(client_id).await {
            Ok(cached) => {
                let cached = known.token.insert(cached);
                if good(cached) {
                    return Ok(cached.token.clone());
                }
                TokenProblem::Refused
            }
            Err(problem) => problem,
        };
        known.failure = Some(Failure { problem: problem.clone(), failed_at: Instant::now() });
        Err(problem)
    }

    fn slot(&self, client_id: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(client_id.to_owned()).or_default())
    }

    async fn fetch(&self, client_id: &str) -> Result<Cached, TokenProblem> {
        let prefix = self.prefix.as_deref().ok_or(TokenProblem::NotConfigured)?;
        let secret = format!("{prefix}{client_id}");
        let fetched_at = Instant::now();
        let answer = self.client().get_secret_value().secret_id(&secret).send().await;
        let value = match answer {
            Ok(value) => value,
            Err(error)
                if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                return Err(TokenProblem::NoSecret(secret));
            }
            Err(error) => return Err(TokenProblem::Unreadable { secret, reason: reason(&error) }),
        };
        let token = value.secret_string().and_then(secret_text::client_token);
        let token = token.ok_or(TokenProblem::Malformed(secret))?;
        Ok(Cached { token, fetched_at })
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder().operation_timeout(LOOK_UP).operation_attempt_timeout(TRY).build();
            // Not the process's quota of retries, which an action's own clients of the same service would spend, too.
            let quota = RetryPartition::custom("client tokens").token_bucket(TokenBucket::default()).build();
            let config = aws_sdk_secretsmanager::config::Builder::from(&self.shared)
                .timeout_config(timeouts)
                .retry_partition(quota)
                .build();
            Client::from_conf(config)
        })
    }
}

/// A look-up that failed. A secret that could not be read is tried again if the caller `insists`.
fn failed(problem: TokenProblem, insists: bool) -> Failed<TokenProblem> {
    let is_unread = matches!(problem, TokenProblem::Unreadable { .. });
    let kind = if insists && is_unread { Kind::Unanswered } else { Kind::Refused };
    Failed { kind, reason: problem.to_string(), detail: Some(problem) }
}

/// The error's code and HTTP status with what to change, or how the connection failed.
fn reason(error: &SdkError<GetSecretValueError>) -> String {
    let failed = sort(error, |response| (response.kind(), advice(response)));
    format!("{}{}", failed.reason, failed.detail.unwrap_or_default())
}

fn advice(response: &ErrorResponse<'_>) -> &'static str {
    match response.code {
        Some("AccessDeniedException") => {
            ": the function's role needs secretsmanager:GetSecretValue for it, and kms:Decrypt for its key if that is its own"
        }
        Some("DecryptionFailure") => ": the function's role needs kms:Decrypt for its key",
        _ => "",
    }
}
