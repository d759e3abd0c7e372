//! Client tokens of third-party jobs, from AWS Secrets Manager: one secret for each client, named by a prefix and the
//! client's id.

mod problem;
#[cfg_attr(not(feature = "third-party"), path = "client_tokens/left_out.rs")]
mod secrets;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::secret_text;
use crate::calls::{Failed, Meaning, NoResponse, Pauses, retry_paced};
pub use problem::TokenProblem;
use secrets::Secrets;

/// A token is looked up again after 5 minutes, so that the worker soon knows a replaced one.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// Between the look-ups of a caller that insists, five pauses take at most 200 + 400 + … + 3200 ms = 6.2 s. Only the
/// caller's deadline ends the look-ups. The last 10 s before a report's deadline hold about seven that are refused at
/// once, four that the SDK tries three times, or one that hangs.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(5));

/// Looks up client tokens and remembers them for a while.
pub(super) struct ClientTokens {
    secrets: Secrets,
    prefix: Option<String>,
    /// A slot for each client. It is locked while its token is fetched, so that several jobs of one client cost one
    /// fetch.
    slots: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<tokio::sync::Mutex<Known>>;

/// The latest look-ups of one client's token.
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

/// The needs of a caller: how long it can wait, and which earlier results it accepts.
#[derive(Clone, Copy)]
pub(super) struct LookUp {
    /// The look-up ends at this moment, with or without a token.
    pub(super) until: Instant,
    /// A look-up that has failed since then is not repeated.
    pub(super) since: Instant,
    /// Whether to try again while there is time if the secret can't be read.
    pub(super) insists: bool,
}

impl LookUp {
    /// For a claimed job: no other worker reports on it.
    pub(super) fn insisting(until: Instant) -> Self {
        Self { until, since: Instant::now(), insists: true }
    }
}

impl ClientTokens {
    pub(super) fn new(sdk_config: SdkConfig, prefix: Option<String>) -> Self {
        Self { secrets: Secrets::new(sdk_config), prefix, slots: Mutex::default() }
    }

    /// The client's token, remembered or looked up.
    pub(super) async fn token(&self, client_id: &str, look_up: LookUp) -> Result<SecretString, TokenProblem> {
        self.find(client_id, look_up, |cached| cached.fetched_at.elapsed() < LIFE).await
    }

    /// A token other than `refused`, which CodePipeline did not accept: one that another job has fetched meanwhile, or
    /// the secret's current one.
    pub(super) async fn replacement(
        &self,
        client_id: &str,
        refused: &SecretString,
        look_up: LookUp,
    ) -> Result<SecretString, TokenProblem> {
        self.find(client_id, look_up, |cached| cached.token.expose_secret() != refused.expose_secret()).await
    }

    /// The remembered token if it is `good`, otherwise the secret's. Repeats the look-up if the caller insists.
    async fn find(
        &self,
        client_id: &str,
        look_up: LookUp,
        good: impl Fn(&Cached) -> bool + Copy,
    ) -> Result<SecretString, TokenProblem> {
        let mut since = Some(look_up.since);
        let try_once = || {
            let look_up = LookUp { since: since.take().unwrap_or_else(Instant::now), ..look_up };
            async move {
                let found = self.in_time(client_id, look_up, self.known_or_fetched(client_id, look_up, good)).await;
                found.map_err(|problem| failed(problem, look_up.insists))
            }
        };
        // No deadline here: a remembered token is still valid after it. Each look-up has its own.
        let looked_up = retry_paced(None, |tried, _| PAUSES.within(tried, look_up.until), try_once).await;
        looked_up.map(|found| found.response).map_err(|gave_up| {
            let Failed { detail, reason, .. } = gave_up.last;
            detail.unwrap_or_else(|| TokenProblem::Unreadable { secret: self.secret(client_id), reason })
        })
    }

    fn secret(&self, client_id: &str) -> String {
        format!("{}{client_id}", self.prefix.as_deref().unwrap_or_default())
    }

    async fn in_time(
        &self,
        client_id: &str,
        look_up: LookUp,
        looking: impl Future<Output = Result<SecretString, TokenProblem>>,
    ) -> Result<SecretString, TokenProblem> {
        let reason = || NoResponse::Late.reason().to_owned();
        let late = |_| Err(TokenProblem::Unreadable { secret: self.secret(client_id), reason: reason() });
        timeout_at(look_up.until, looking).await.unwrap_or_else(late)
    }

    /// The remembered token if it is `good`, otherwise the secret's. A token that is not `good` although it was just
    /// fetched is one that CodePipeline refuses.
    async fn known_or_fetched(
        &self,
        client_id: &str,
        look_up: LookUp,
        good: impl Fn(&Cached) -> bool,
    ) -> Result<SecretString, TokenProblem> {
        let slot = self.slot(client_id);
        let mut known = slot.lock().await;
        if let Some(cached) = known.token.as_ref().filter(|cached| good(cached)) {
            return Ok(cached.token.clone());
        }
        if let Some(failed) = known.failure.as_ref().filter(|failed| failed.failed_at >= look_up.since) {
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
        let text = self.secrets.text(&secret).await?;
        let token = text.as_ref().and_then(|text| secret_text::client_token(text.expose_secret()));
        let token = token.ok_or(TokenProblem::Malformed(secret))?;
        Ok(Cached { token, fetched_at })
    }
}

/// A failed look-up. It is repeated if the secret could not be read and the caller `insists`.
fn failed(problem: TokenProblem, insists: bool) -> Failed<TokenProblem> {
    let is_unread = matches!(problem, TokenProblem::Unreadable { .. });
    let meaning = if insists && is_unread { Meaning::Unanswered } else { Meaning::Refused };
    Failed { meaning, reason: problem.to_string(), detail: Some(problem), no_response: None }
}
