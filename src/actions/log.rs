//! The log of an action: lines with the job's ids, and without its secrets.

use std::fmt;
use std::sync::Arc;

use tracing::Span;

use crate::redact::{Learned, Redactor};
use crate::text::keep_start;

/// The most characters of a line. CloudWatch Logs takes 256 KiB with all other members, and JSON may need six bytes for a character.
const LONGEST_LINE: usize = 16 * 1024;

/// Writes lines to the function's log. Each line has the job's ids, and `****` in place of each secret.
///
/// The secrets are those that [`Turn::redactor`](super::Turn::redactor) and [`Turn::learned`](super::Turn::learned) know: the values of
/// the secret configuration keys, [`Action::secrets`](super::Action::secrets), and what the action learned before the line. A line
/// keeps its first 16,384 characters.
///
/// [`Turn::log`](super::Turn::log) makes it. It can be cloned into a task or a thread, which keeps the ids.
#[derive(Clone)]
pub struct Log {
    redactor: Arc<Redactor>,
    learned: Learned,
    span: Span,
}

impl Log {
    /// A log that masks these secrets, with the ids of the current job.
    pub(super) fn of_current_job(redactor: Arc<Redactor>, learned: Learned) -> Self {
        Self { redactor, learned, span: Span::current() }
    }

    /// Logs details for the author of the action. They appear if `RUST_LOG` is `debug` or `trace`.
    pub fn debug(&self, message: impl fmt::Display) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let message = self.line(&message);
            self.span.in_scope(|| tracing::debug!("{message}"));
        }
    }

    /// Logs what happened.
    pub fn info(&self, message: impl fmt::Display) {
        let message = self.line(&message);
        self.span.in_scope(|| tracing::info!("{message}"));
    }

    /// Logs what an operator may want to look into.
    pub fn warn(&self, message: impl fmt::Display) {
        let message = self.line(&message);
        self.span.in_scope(|| tracing::warn!("{message}"));
    }

    /// Logs what an operator should look into.
    pub fn error(&self, message: impl fmt::Display) {
        let message = self.line(&message);
        self.span.in_scope(|| tracing::error!("{message}"));
    }

    /// The text without escape sequences and secrets. Masks before it cuts, because a cut may divide a secret.
    fn line(&self, message: &impl fmt::Display) -> String {
        let (message, learned) = (message.to_string(), self.learned.all());
        if learned.is_empty() {
            return keep_start(&self.redactor.redact(&message), LONGEST_LINE).into_owned();
        }
        let redactor = self.redactor.and(learned.into_iter().map(|(_, secret)| secret));
        keep_start(&redactor.redact(&message), LONGEST_LINE).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::SecretName;

    fn log_without(secret: &str) -> Log {
        Log::of_current_job(Arc::new(Redactor::new([secret])), Learned::default())
    }

    #[test]
    fn line_has_no_secret_and_no_escape_sequence() {
        let log = log_without("hunter2");
        assert_eq!(log.line(&"\u{1b}[1mGET\u{1b}[0m /?token=hunter2"), "GET /?token=****");
        assert_eq!(log.line(&"hun\u{1b}[0mter2"), "****");
    }

    #[test]
    fn long_line_is_masked_before_it_is_cut() {
        let log = log_without("hunter2");
        let line = log.line(&format!("{}hunter2", "x".repeat(LONGEST_LINE - 3)));
        assert_eq!(line.chars().count(), LONGEST_LINE);
        assert!(line.ends_with("xxx**…"), "{}", &line[LONGEST_LINE - 9..]);
    }

    #[test]
    fn secret_is_masked_once_the_action_has_learned_it() {
        let log = log_without("hunter2");
        assert_eq!(log.line(&"hunter2, hunter3"), "****, hunter3");
        log.learned.add(SecretName::Other("a token"), "hunter3".into());
        assert_eq!(log.line(&"hunter2, hunter3"), "****, ****");
    }
}
