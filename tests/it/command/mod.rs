//! The `command` action, with real processes.
//!
//! A command's orphans become children of this process, and nothing distinguishes them from children that start at the same time. So the
//! action runs one command at a time, and a test that starts a process itself holds `support::children::Children`.

mod ending;
mod environment;
mod log;
mod reports;
mod role;
pub(crate) mod scenario;
