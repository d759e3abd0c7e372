//! The log of an action: lines with the job's ids, and without its secrets.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Level, Span};

use crate::redact::{Learned, Redactor};
use crate::text::keep_start;

/// The most characters or bytes of a line. CloudWatch Logs takes events of 1 MB (API reference, `PutLogEvents`), with all other
/// members of the line. JSON may need six bytes for a character.
pub(super) const LONGEST_LINE: usize = 16 * 1024;

/// Writes lines to the function's log. Each line has the job's ids, and `****` in place of each secret.
///
/// It masks what [`Turn::redactor`](super::Turn::redactor) and [`Turn::learned`](super::Turn::learned) know: the values of the secret
/// configuration keys, [`Action::secrets`](super::Action::secrets), the job's credentials, and what the action has learned. A line
/// keeps its first 16,384 characters.
///
/// [`Turn::log`](super::Turn::log) makes it. It can be cloned into a task or a thread, which keeps the ids.
#[derive(Clone)]
pub struct Log {
    /// Masks the first secrets of `learned`, as many as the number says, and all others.
    redactor: Arc<Mutex<(usize, Arc<Redactor>)>>,
    learned: Learned,
    span: Span,
}

impl Log {
    /// A log that masks these secrets, with the ids of the current job.
    pub(super) fn of_current_job(redactor: Arc<Redactor>, learned: Learned) -> Self {
        Self { redactor: Arc::new(Mutex::new((0, redactor))), learned, span: Span::current() }
    }

    /// Logs details for the author of the action. They appear if `RUST_LOG` is `debug` or `trace`.
    pub fn debug(&self, message: impl fmt::Display) {
        if tracing::enabled!(Level::DEBUG) {
            let message = self.line(&message);
            self.span.in_scope(|| tracing::debug!("{message}"));
        }
    }

    /// Logs what happened.
    pub fn info(&self, message: impl fmt::Display) {
        if tracing::enabled!(Level::INFO) {
            let message = self.line(&message);
            self.span.in_scope(|| tracing::info!("{message}"));
        }
    }

    /// Logs what an operator may want to look into.
    pub fn warn(&self, message: impl fmt::Display) {
        if tracing::enabled!(Level::WARN) {
            let message = self.line(&message);
            self.span.in_scope(|| tracing::warn!("{message}"));
        }
    }

    /// Logs what an operator should look into.
    pub fn error(&self, message: impl fmt::Display) {
        if tracing::enabled!(Level::ERROR) {
            let message = self.line(&message);
            self.span.in_scope(|| tracing::error!("{message}"));
        }
    }

    /// The text without escape sequences and secrets. Masks before it cuts, because a cut may divide a secret.
    fn line(&self, message: &impl fmt::Display) -> String {
        let message = message.to_string();
        keep_start(&self.redactor().redact(&message), LONGEST_LINE).into_owned()
    }

    /// A redactor that knows all secrets so far. Makes a new one only after the action has learned another secret.
    fn redactor(&self) -> Arc<Redactor> {
        let mut current = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        let new = self.learned.after(current.0);
        if !new.is_empty() {
            let number = current.0 + new.len();
            let redactor = Arc::new(current.1.and(new.into_iter().map(|(_, secret)| secret)));
            *current = (number, redactor);
        }
        Arc::clone(&current.1)
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

    #[test]
    fn clones_share_a_redactor_until_a_secret_is_learned() {
        let log = log_without("hunter2");
        let clone = log.clone();
        let (first, again) = (log.redactor(), clone.redactor());
        assert!(Arc::ptr_eq(&first, &again));
        log.learned.add(SecretName::Other("a token"), "hunter3".into());
        let (second, again) = (log.redactor(), clone.redactor());
        assert!(!Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&second, &again));
        log.learned.add(SecretName::Other("a token"), "hunter4".into());
        assert_eq!(clone.line(&"hunter2, hunter3, hunter4"), "****, ****, ****");
    }

    #[test]
    fn message_of_a_disabled_level_is_not_formatted() {
        struct Unwanted;
        impl fmt::Display for Unwanted {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                unreachable!("the line is not logged")
            }
        }
        let log = log_without("hunter2");
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
            log.debug(Unwanted);
            log.info(Unwanted);
            log.warn(Unwanted);
            log.error(Unwanted);
        });
    }
}
