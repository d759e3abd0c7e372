//! The settings of a session.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A shell of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shell {
    /// `/bin/sh`.
    #[default]
    Sh,
    /// The `bash` that `PATH` finds.
    Bash,
}

impl Shell {
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Sh => "/bin/sh",
            Self::Bash => "bash",
        }
    }
}

/// The limits of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long the session may take.
    pub(crate) time: Duration,
    /// How many bytes the commands may write to their standard output and standard error together.
    pub(crate) output: u64,
    /// How long after SIGTERM a process that used up the time gets SIGKILL.
    pub(crate) grace: Duration,
}

impl Limits {
    /// The limits of an action that may take this long.
    pub(crate) const fn of(time: Duration) -> Self {
        Self { time, output: 64 << 20, grace: Duration::from_secs(3) }
    }
}

/// The settings of a session. Holds secrets in its environment, so it has no `Debug`.
pub(crate) struct Settings<'a> {
    pub(crate) shell: Shell,
    /// The working directory of the first command.
    pub(crate) folder: &'a Path,
    /// An existing folder for the session's own files, such as the texts of the commands. Only this user may read it.
    pub(crate) scratch: &'a Path,
    /// Variables in addition to those that every session inherits: see `process::INHERITED`.
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) limits: Limits,
    /// Gets each line of output when it is complete, without its line break. It masks secrets.
    pub(crate) show: &'a (dyn Fn(&str) + Send + Sync),
}
