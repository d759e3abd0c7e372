//! The environment, read once, as plain values. Every mistake is found and reported together.

mod actions;
mod limits;
mod problems;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use tracing::Level;

use crate::actions::command::CommandAction;
use crate::job::ActionTypeId;

pub use problems::ConfigError;

/// All that the worker is told from outside.
pub struct Config {
    /// The action types to serve, in the order given.
    pub actions: Vec<ActionConfig>,
    /// What the worker may use.
    pub limits: Limits,
    /// How much our own code logs (`RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`: one level's name).
    pub log_level: Level,
}

/// One entry of `ACTIONS`.
pub struct ActionConfig {
    /// Which jobs to poll for.
    pub action_type: ActionTypeId,
    /// Poll only for jobs whose configuration has this value under this key.
    pub query_param: Option<(String, String)>,
    /// Configuration keys whose values must not show anywhere.
    pub secrets: Vec<String>,
    /// How long the action may take: whole seconds.
    pub timeout: Duration,
    /// What the work is.
    pub run: Run,
}

/// What the work of an action type is.
pub enum Run {
    /// A program.
    Command(CommandAction),
}

/// What the worker may use.
pub struct Limits {
    /// Jobs at a time in one invocation (`CONCURRENCY`, 1 to 100, default 4).
    pub concurrency: usize,
    /// Bytes that one artifact may unpack to (`MAX_UNPACKED_BYTES`, default 10 GiB, the most that Lambda's /tmp can have).
    pub max_unpacked_bytes: u64,
    /// The function's timeout as it was deployed (`FUNCTION_TIMEOUT`, seconds, default 900, Lambda's longest).
    pub function_timeout: Duration,
    /// Time kept free for staging artifacts in and out beside a command's own (`STAGING_TIMEOUT`, seconds, default 60).
    pub staging: Duration,
    /// Time kept free at the end of an invocation for reporting: 10 s.
    pub reporting: Duration,
    /// Where the worker makes a folder of its own for the folders of jobs (`WORK_FOLDER`, default `/tmp`).
    pub work_folder: PathBuf,
    /// The folder of the deployed package (`LAMBDA_TASK_ROOT`, default `/var/task`): second on a command's `PATH`.
    pub package_folder: PathBuf,
}

impl Config {
    /// Reads the configuration through `variable`, which answers with a variable's value.
    ///
    /// # Errors
    /// With every mistake found, each with the variable or JSON path it is at and the rule it breaks. Values are not
    /// shown: they may be secrets in the wrong place.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = problems::Problems::default();
        let limits = limits::parse(&variable, &mut problems);
        let log_level = limits::log_level(&variable, &mut problems);
        let actions = actions::parse(&variable, &limits, &mut problems);
        problems.into_result(Self { actions, limits, log_level })
    }
}
