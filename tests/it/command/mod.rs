//! The `command` action, with real processes.
//!
//! A command's orphans become children of this process, where nothing tells them from other children that are started
//! meanwhile. So commands take turns (the action sees to that), and a test that starts a process itself holds
//! `support::children::Children`.

mod ending;
mod environment;
mod reports;
mod scenario;
