//! The parts of the emulator that the page needs.

use std::io;
use std::path::Path;

use tokio::sync::watch;

use super::mode::PageMode;
use super::token::Token;
use crate::action_logs::ActionLogs;
use crate::kept_engine::KeptEngine;
use crate::providers::Secrets;
use crate::s3::Store;
use crate::types::Timestamp;

/// The parts of the emulator that the page needs. Each event stream holds a weak reference, so that no stream keeps the emulator alive.
pub(crate) struct Page {
    pub(super) engine: KeptEngine,
    pub(super) store: Store,
    pub(super) logs: ActionLogs,
    /// Masked in what the page shows.
    pub(super) secrets: Secrets,
    pub(super) mode: PageMode,
    pub(super) token: Token,
    /// When the emulator started.
    pub(super) started: Timestamp,
    /// Whether the streams must end.
    pub(super) closing: watch::Sender<bool>,
}

impl Page {
    /// The page of an emulator. With a data folder, its token is that of earlier starts. Returns an error if the folder can't keep the
    /// token.
    pub(crate) fn new(
        engine: KeptEngine,
        store: Store,
        (logs, secrets): (ActionLogs, Secrets),
        (mode, started): (PageMode, Timestamp),
        data: Option<&Path>,
    ) -> io::Result<Self> {
        let token = data.map_or_else(Token::random, Token::of_folder)?;
        let closing = watch::Sender::new(false);
        Ok(Self { engine, store, logs, secrets, mode, token, started, closing })
    }

    /// Ends the event streams, each after the events for what changed last.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// The page's address with its token, below the emulator's `endpoint`.
    pub(crate) fn address(&self, endpoint: &str) -> String {
        format!("{endpoint}/_/?token={}", self.token.expose())
    }
}
