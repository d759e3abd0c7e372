//! A function's configuration, and how its invocations end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

/// A function's configuration.
#[derive(Clone)]
pub struct FunctionSettings {
    /// The value of `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// The bootstrap and its arguments.
    pub command: Vec<String>,
    /// The account in its ARN and in its schedule's events.
    pub account_id: String,
    /// The region that it runs in.
    pub region: String,
    /// Environment variables. They take precedence over those of Lambda, and over the emulator's own `PATH` and `HOME`.
    pub env: BTreeMap<String, String>,
    /// How long an invocation may take before its process is killed.
    pub timeout: Duration,
    /// The value of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MiB. It is not enforced.
    pub memory_mb: u32,
    /// Where the process's output goes.
    pub output: Output,
}

/// Where a function's standard output and standard error go.
#[derive(Clone)]
pub enum Output {
    /// To the emulator's own.
    Inherit,
    /// Line by line, without line ends, into a channel. Bytes that are not UTF-8 are replaced.
    Lines(mpsc::UnboundedSender<String>),
    /// Line by line, as with `Lines`, to a function that must not block.
    Each(LineTaker),
}

/// Takes lines of output.
pub type LineTaker = Arc<dyn Fn(&str) + Send + Sync>;

impl Output {
    /// Takes the lines. `None` if the output is the emulator's own.
    pub(super) fn taker(&self) -> Option<LineTaker> {
        match self {
            Self::Inherit => None,
            Self::Lines(lines) => {
                let lines = lines.clone();
                // Lines are taken also without a receiver, because a full pipe would block the function.
                Some(Arc::new(move |line| drop(lines.send(line.to_owned()))))
            }
            Self::Each(take) => Some(Arc::clone(take)),
        }
    }
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// The function returned a value.
    Answered(Value),
    /// The function reported an error of an invocation or of its start.
    Failed {
        /// The error's type.
        error_type: String,
        /// The error's message.
        message: String,
    },
    /// The function did not reply before its deadline and was killed.
    TimedOut,
    /// The process ended without a reply.
    Exited {
        /// Its exit code or signal, in words.
        status: String,
    },
}
