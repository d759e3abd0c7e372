//! The steps and log lines of an action. The engine and the providers do not keep them yet.

use serde_json::Value;

use crate::engine::Engine;
use crate::page::site::Page;
use crate::page::view::View;

/// The steps of an action execution, oldest first.
pub(super) fn steps(_engine: &Engine, _action: &str) -> Vec<Value> {
    Vec::new()
}

/// How far a client has read the log of an action.
#[derive(Default)]
pub(in crate::page) struct LogPosition {}

/// The lines that the client has not read yet, as the data of an event. `None` if it has read all.
pub(in crate::page) fn log_lines(_page: &Page, _view: &View, _read: &mut LogPosition) -> Option<Value> {
    None
}
