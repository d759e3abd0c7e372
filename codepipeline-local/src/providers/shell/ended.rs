//! How commands and sessions end.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    /// A signal killed the shell.
    Killed(i32),
}

impl Ended {
    pub(crate) fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Why a session could not run a command to its end. The session's processes are then killed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellError {
    #[error("could not start {program} in {}: {source}", folder.display())]
    Start { program: &'static str, folder: PathBuf, source: io::Error },
    #[error("the commands took longer than {} s and were stopped", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("the commands wrote more than {0} bytes of output and were stopped: let them write to a file")]
    TooMuchOutput(u64),
    #[error("could not read or write a file of the shell: {0}")]
    Files(#[from] io::Error),
}
