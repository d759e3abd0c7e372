//! A log for tests that read it.

use crate::support::log::{Written, keep_statements_on};

/// The log of this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Written);

impl Log {
    pub(crate) fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync {
        keep_statements_on();
        let written = self.0.clone();
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish()
    }

    pub(crate) fn text(&self) -> String {
        self.0.text()
    }
}
