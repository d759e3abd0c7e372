//! Sends one message to the service, with tries until the service responds.

use std::error::Error;
use std::iter;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use tokio::time::Instant;

use super::clock::{Clock, retry_after, unix_seconds};
use super::message::Message;
use super::retries::Retries;
use super::signature::Signer;
use crate::calls::{CallLog, Failed, Meaning, NoResponse, retry_paced};

/// The most that the worker reads of a response. Output variables, the longest part, have at most 122 880 bytes; as
/// escaped JSON they are rarely twice as long.
pub(super) const LONGEST_RESPONSE: usize = 256 * 1024;

const CONNECTING: Duration = Duration::from_secs(10);

/// The settings of requests.
pub(super) struct Exchange {
    pub(super) signer: Signer,
    pub(super) request_timeout: Duration,
    pub(super) retries: Retries,
    pub(super) clock: Clock,
    pub(super) https_only: bool,
    /// Created at the first request, because reading the root certificates takes a part of a cold start.
    pub(super) client: OnceLock<Client>,
}

/// A response that another try would not change.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Body,
}

/// The body of a response, or its beginning.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether all of it was read.
    pub(super) whole: bool,
}

/// A message that got no response, after all tries.
pub(super) struct Unavailable {
    pub(super) tries: u32,
    /// How the last try failed. It holds no part of a message.
    pub(super) reason: String,
}

impl Exchange {
    /// POSTs `message` to `url` until the service responds, but not after `until`. A long `Retry-After` ends the tries
    /// only if a later job asks again (`asked_later`).
    pub(super) async fn post(
        &self,
        url: &Url,
        message: &Message,
        until: Instant,
        asked_later: bool,
    ) -> Result<Response, Unavailable> {
        let pace = |tries, failed: &Failed<Option<Duration>>| {
            let left = until.saturating_duration_since(Instant::now());
            let asked = failed.detail.flatten();
            let pause = self.retries.pause(tries, fastrand::f64(), asked, (!asked_later).then_some(left))?;
            (pause < left).then_some(pause)
        };
        let try_once = || async {
            let call = CallLog::begin("HTTP service", message.message_type);
            let sent = self.send(url, message).await;
            call.ended(sent.as_ref().ok().map(|response| response.status));
            match sent {
                Ok(response) => sorted(response),
                Err(error) => Err(self.failed(&error)),
            }
        };
        let responded = retry_paced(Some(until), pace, try_once).await;
        responded
            .map(|responded| responded.response)
            .map_err(|gave_up| Unavailable { tries: gave_up.tries, reason: gave_up.last.reason })
    }

    async fn send(&self, url: &Url, message: &Message) -> reqwest::Result<Response> {
        let seconds = unix_seconds((self.clock)());
        let request = self
            .client()?
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &message.id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds)
            .header(HEADER_WEBHOOK_SIGNATURE, self.signer.sign(&message.id, seconds, &message.body))
            .body(message.body.clone());
        let response = request.send().await?;
        let header =
            |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let (status, location) = (response.status().as_u16(), header(LOCATION));
        let retry_after = header(RETRY_AFTER).and_then(|value| retry_after(&value, seconds));
        Ok(Response { status, location, retry_after, body: read(response).await? })
    }

    fn client(&self) -> reqwest::Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .user_agent(concat!("codepipeline-worker/", env!("CARGO_PKG_VERSION")))
            // A redirect would send the configuration and the links to another server.
            .redirect(Policy::none())
            .https_only(self.https_only)
            // Proxy variables are not meant for this client.
            .no_proxy()
            // Lambda freezes the process between invocations, and an idle connection rarely survives that.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECTING)
            .timeout(self.request_timeout)
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Sorts an error without a response. Its own text holds the URL, so only the text of the innermost cause is used.
    fn failed(&self, error: &reqwest::Error) -> Failed<Option<Duration>> {
        let sorted = |cause, why: String| {
            let failed = Failed::from(cause);
            Failed { reason: format!("{} ({why})", failed.reason), ..failed }
        };
        if error.is_timeout() {
            return sorted(NoResponse::Late, format!("the limit is {} s", self.request_timeout.as_secs_f64()));
        }
        let cause = if error.is_builder() { NoResponse::NotBuilt } else { NoResponse::Connection };
        let causes = iter::successors(error.source(), |&cause| cause.source());
        causes.last().map_or_else(|| cause.into(), |innermost| sorted(cause, innermost.to_string()))
    }
}

/// Sorts a response. Another try may help after a request timeout, too many requests, or a failure of the service. The
/// failed try then keeps `Retry-After`.
fn sorted(response: Response) -> Result<Response, Failed<Option<Duration>>> {
    let meaning = match response.status {
        408 | 429 => Meaning::Throttled,
        500..=599 => Meaning::Unanswered,
        _ => return Ok(response),
    };
    let reason = format!("HTTP status {}", response.status);
    Err(Failed { meaning, reason, detail: Some(response.retry_after), no_response: None })
}

async fn read(mut response: reqwest::Response) -> reqwest::Result<Body> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LONGEST_RESPONSE - bytes.len();
        if chunk.len() > room {
            bytes.extend_from_slice(&chunk[..room]);
            return Ok(Body { bytes, whole: false });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { bytes, whole: true })
}
