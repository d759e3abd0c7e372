//! The `http` action: hands the job to a service.
//!
#![doc = include_str!("../../../docs/actions/http.md")]

mod address;
mod clock;
mod config;
mod exchange;
mod failures;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod message;
mod reader;
mod reply;
mod retries;
mod signature;
mod token;

use std::sync::OnceLock;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use self::address::Address;
pub use self::clock::{Clock, system_clock};
pub(super) use self::config::KIND;
pub use self::config::{HttpMistake, HttpSettings};
use self::exchange::Exchange;
use self::failures::Asked;
use self::message::{Message, MessageType};
use self::reader::Reader;
pub use self::retries::Retries;
use self::signature::Signer;
use self::token::Token;
use super::{Abandoned, Action, Turn};
use crate::job::{Failure, Outcome};
use crate::redact::Redactor;

/// The time for telling a service that its work is abandoned, with all tries.
const STOPPING: Duration = Duration::from_secs(20);

/// Hands each job of an action type to a service.
pub struct HttpAction {
    address: Address,
    secret: SecretString,
    clock: Clock,
    exchange: Exchange,
}

impl HttpAction {
    /// An action that posts jobs to a service. It sends nothing and reads no certificate before the first job.
    ///
    /// # Errors
    /// Returns an error if jobs may not be posted to the URL, the secret is not a key, or the request timeout is 0 s.
    pub fn new(settings: HttpSettings) -> Result<Self, HttpMistake> {
        let HttpSettings { url, secret, request_timeout, clock } = settings;
        let address = Address::parse(&url)?;
        if request_timeout.is_zero() {
            return Err(HttpMistake::NoTime);
        }
        let exchange = Exchange {
            signer: Signer::parse(&secret)?,
            request_timeout,
            retries: Retries::default(),
            clock,
            https_only: address.is_https(),
            client: OnceLock::new(),
        };
        Ok(Self { address, secret, clock, exchange })
    }

    /// Changes the number of tries and the pauses between them.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.exchange.retries = retries;
        self
    }

    fn seconds(&self) -> i64 {
        clock::unix_seconds((self.clock)())
    }
}

impl Action for HttpAction {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        let (address, url, seconds) = (&self.address, self.address.url(), self.seconds());
        let message = Message::of_job(MessageType::Started, &turn, seconds).await?;
        let redactor = turn.redactor.and(message.links.iter().cloned());
        let reader = Reader { address, url, before: None, redactor, seconds };
        match self.exchange.post(url, &message, turn.closing_time(), false).await {
            Ok(response) => reader.conclude(&response),
            Err(unavailable) => Err(failures::of_unavailable(&unavailable)),
        }
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        let token = Token::read(token, &self.address)?;
        let seconds = self.seconds();
        if token.is_too_early(seconds) {
            return token.continuation().map(Outcome::Continue);
        }
        let message = Message::of_job(MessageType::Continued, &turn, seconds).await?;
        let redactor = turn.redactor.and(message.links.iter().cloned());
        let (address, url) = (&self.address, &token.location);
        let reader = Reader { address, url, before: Some(&token), redactor, seconds };
        match self.exchange.post(url, &message, turn.closing_time(), true).await {
            Ok(response) => reader.conclude(&response),
            Err(unavailable) => {
                let (tries, reason) = (unavailable.tries, unavailable.reason);
                tracing::warn!(tries, reason, "the service did not report its progress; a later job asks again");
                token.continuation().map(Outcome::Continue)
            }
        }
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        // If the token is invalid, the message goes to the configured URL instead.
        let token = abandoned.token.as_deref().and_then(|token| Token::read(token, &self.address).ok());
        let message = Message::abandoned(&abandoned.execution_id, self.seconds());
        let url = token.as_ref().map_or(self.address.url(), |token| &token.location);
        match self.exchange.post(url, &message, Instant::now() + STOPPING, false).await {
            Ok(response) if matches!(response.status, 200..=299 | 404 | 410) => Ok(()),
            Ok(response) => {
                let redactor = Redactor::new(self.secrets().iter().map(ExposeSecret::expose_secret));
                Err(failures::of_status(Asked::ToContinue, response.status, &response.body, &redactor))
            }
            Err(unavailable) => Err(failures::of_unavailable(&unavailable)),
        }
    }

    fn wants_files(&self) -> bool {
        false
    }

    fn secrets(&self) -> Vec<SecretString> {
        self.secret.expose_secret().split_whitespace().map(SecretString::from).collect()
    }
}
