//! A function's configuration, and how its invocations end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

/// A function's configuration.
#[derive(Clone)]
pub struct FunctionSettings {
    /// What `AWS_LAMBDA_FUNCTION_NAME` says.
    pub name: String,
    /// The bootstrap and its arguments.
    pub command: Vec<String>,
    /// The account in its ARN and in its schedule's events; the emulator's own is in its settings.
    pub account_id: String,
    /// The region that it runs in.
    pub region: String,
    /// Environment variables, beside those that Lambda sets and the emulator's own `PATH` and `HOME`. These win.
    pub env: BTreeMap<String, String>,
    /// How long an invocation may take; then its process is killed.
    pub timeout: Duration,
    /// What `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` says, in MiB. It is not enforced.
    pub memory_mb: u32,
    /// Where the process's output goes.
    pub output: Output,
}

/// Where a function's standard output and standard error go.
#[derive(Clone)]
pub enum Output {
    /// To the emulator's own.
    Inherit,
    /// Line by line, without line ends, into a channel. Bytes that are no UTF-8 are replaced.
    Lines(mpsc::UnboundedSender<String>),
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// The function answered.
    Answered(Value),
    /// The function reported an error, of an invocation or of its start.
    Failed {
        /// What the error's type says.
        error_type: String,
        /// What the error says.
        message: String,
    },
    /// It had not answered at its deadline, and was killed.
    TimedOut,
    /// The process ended without an answer.
    Exited {
        /// Its exit code or signal, in words.
        status: String,
    },
}
