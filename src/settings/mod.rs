//! The parts that `config` and the kinds of action share: the environment, the settings, JSON members and the list of mistakes.

mod environment;
mod members;
mod problems;

use std::path::PathBuf;
use std::time::Duration;

pub use environment::Environment;
pub(crate) use members::{only_known, whole_seconds};
pub use problems::ConfigError;
pub(crate) use problems::{Problems, left_out, shown_key, third_party_left_out};

/// The limits and folders of the function.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most jobs at a time in one invocation (`CONCURRENCY`, 1 to 100, default 4).
    pub concurrency: usize,
    /// The most bytes that one artifact may unpack to (`MAX_UNPACKED_BYTES`, default 10 GiB, the largest `/tmp` of Lambda).
    pub max_unpacked_bytes: u64,
    /// The most files in one artifact, and the most folders and links (`MAX_ENTRIES`, default 100,000, CodePipeline's own limit
    /// for the files of an artifact).
    pub max_entries: u64,
    /// The function's timeout (`FUNCTION_TIMEOUT`, seconds, default 900, Lambda's longest).
    pub function_timeout: Duration,
    /// The time for staging artifacts in and out, in addition to the action's own (`STAGING_TIMEOUT`, seconds, default 60).
    pub staging: Duration,
    /// The time for starting and polling, before a job is claimed: 10 s.
    pub polling: Duration,
    /// The time for reporting, at the end of an invocation: 10 s.
    pub reporting: Duration,
    /// The free bytes that the work folder needs for a job with files (`MIN_FREE_BYTES`, default 64 MiB).
    pub min_free_bytes: u64,
    /// Whether the worker removes what a command creates in `WORK_FOLDER` outside its own folder (`CLEAN_TMP`, default `false`,
    /// because a machine may have other users).
    pub clean_tmp: bool,
    /// Whether the worker polls for jobs (`POLLING`, default `true`). If not, it is paused, and still recovers jobs.
    pub polls: bool,
    /// The parent of the worker's own folder, which holds the folders of jobs (`WORK_FOLDER`, default `/tmp`).
    pub work_folder: PathBuf,
    /// The folder of the deployed package (`LAMBDA_TASK_ROOT`, default `/var/task`), second on a command's `PATH`.
    pub package_folder: PathBuf,
}

#[cfg(test)]
impl Settings {
    /// The settings of a function without any variable.
    pub(crate) fn of_tests() -> Self {
        Self {
            concurrency: 4,
            max_unpacked_bytes: 10 << 30,
            max_entries: 100_000,
            function_timeout: Duration::from_secs(900),
            staging: Duration::from_secs(60),
            polling: Duration::from_secs(10),
            reporting: Duration::from_secs(10),
            min_free_bytes: 64 << 20,
            clean_tmp: false,
            polls: true,
            work_folder: "/tmp".into(),
            package_folder: "/var/task".into(),
        }
    }
}
