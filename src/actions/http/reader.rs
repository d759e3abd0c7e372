//! Reads the outcome of a turn from the service's response.

use reqwest::Url;

use super::address::Address;
use super::exchange::{LONGEST_RESPONSE, Response};
use super::failures::{self, Asked};
use super::reply::{self, Progress};
use super::token::{LONGEST_PAUSE, Token};
use crate::job::{Continuation, Failure, Finished, Outcome};
use crate::redact::{Redactor, SECRET_IN_TOKEN};

/// One message about a job, and everything that reading its response needs.
pub(super) struct Reader<'a> {
    pub(super) address: &'a Address,
    /// Where the message goes.
    pub(super) url: &'a Url,
    /// The job's continuation token. `None` for `job.started`.
    pub(super) before: Option<&'a Token>,
    /// Masks secrets in the service's prose. The job's report checks its data.
    pub(super) redactor: Redactor,
    /// When the message was made: seconds since 1970.
    pub(super) seconds: i64,
}

impl Reader<'_> {
    /// Reads the outcome of the turn from the response.
    pub(super) fn conclude(&self, response: &Response) -> Result<Outcome, Failure> {
        let concluded = match response.status {
            200 | 204 => self.finished(response).map(Outcome::Finished),
            202 => self.continuation(response).map(Outcome::Continue),
            status => Err(failures::of_status(self.asked(), status, &response.body, &self.redactor)),
        };
        concluded.map_err(|failure| {
            let output = failure.output.map(|output| self.redacted(&output));
            let external_execution_id = failure.external_execution_id.or_else(|| self.known_external_id());
            Failure { output, external_execution_id, ..failure }
        })
    }

    fn continuation(&self, response: &Response) -> Result<Continuation, Failure> {
        let location = match (&response.location, self.before) {
            (Some(header), _) => {
                // CodePipeline stores the token, so it must hold no secret.
                if self.redactor.secret_in(header, SECRET_IN_TOKEN).is_some() {
                    return Err(failures::of_contract("its Location has a secret in it"));
                }
                let location = self.address.location(self.url, header);
                location.map_err(|rule| failures::of_contract(format_args!("its Location {rule}")))?
            }
            (None, Some(before)) => before.location.clone(),
            (None, None) => return Err(failures::of_contract("it is 202, but has no Location to ask next")),
        };
        let pause = response.retry_after.map(|pause| pause.min(LONGEST_PAUSE).as_secs()).filter(|&pause| pause > 0);
        let token = Token {
            location,
            not_before: pause.map(|pause| self.seconds.saturating_add_unsigned(pause)),
            progress: self.progress(response),
        };
        token.continuation()
    }

    fn asked(&self) -> Asked {
        if self.before.is_some() { Asked::ToContinue } else { Asked::ToStart }
    }

    fn redacted(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    fn known_external_id(&self) -> Option<String> {
        self.before.and_then(|token| token.progress.external_execution_id.clone())
    }

    fn finished(&self, response: &Response) -> Result<Finished, Failure> {
        if !response.body.whole {
            let limit = format_args!("it is longer than {LONGEST_RESPONSE} bytes; put more into an output artifact");
            return Err(failures::of_contract(limit));
        }
        let finished = reply::result(&response.body.bytes).map_err(failures::of_contract)??;
        Ok(Finished {
            summary: finished.summary.map(|summary| self.redacted(&summary)),
            external_execution_id: finished.external_execution_id.or_else(|| self.known_external_id()),
            ..finished
        })
    }

    /// The progress so far. An unreadable report of progress does not end the work.
    fn progress(&self, response: &Response) -> Progress {
        let news = match reply::progress(&response.body.bytes) {
            Ok(news) if response.body.whole => news,
            Ok(_) => {
                tracing::warn!(limit = LONGEST_RESPONSE, "the service's report of progress is too long");
                Progress::default()
            }
            Err(malformed) => {
                tracing::warn!(%malformed, "the service's report of progress is invalid");
                Progress::default()
            }
        };
        let before = self.before.map(|token| token.progress.clone()).unwrap_or_default();
        Progress {
            summary: news.summary.map(|summary| self.redacted(&summary)).or(before.summary),
            external_execution_id: news.external_execution_id.or(before.external_execution_id),
            percent_complete: news.percent_complete.or(before.percent_complete),
        }
    }
}
