//! Runs the worker's invocations without Lambda, for the tests of an action.
//!
//! `examples/own-action/` has a complete test. It gives the worker the `sdk_config` of codepipeline-local's own helpers,
//! `codepipeline_local::testing`.

use std::time::Duration;

use aws_config::SdkConfig;
use tokio::time::Instant;

use super::{own_types_are_built, take_work_folder, worker};
use crate::actions::Served;
use crate::config::Config;
use crate::worker::Worker;
use crate::workspace::WorkerFolder;

pub use crate::worker::Summary;

/// The worker with action types of your own, invoked by a test.
///
/// Everything is as on Lambda, with three exceptions. No process is shielded from commands, so entries of `ACTIONS` with the kind
/// `command` are for the real function. Metrics are off. No watchdog ends the process at the deadline.
///
/// # Examples
/// ```no_run
/// use codepipeline_worker::SdkConfig;
/// use codepipeline_worker::actions::Served;
/// use codepipeline_worker::testing::TestWorker;
///
/// async fn run_one_job(served: Served, sdk_config: &SdkConfig) {
///     let worker = TestWorker::new(vec![served], sdk_config);
///     let summary = worker.invoke().await;
///     assert_eq!(summary.succeeded, 1);
/// }
/// ```
pub struct TestWorker {
    worker: Worker,
    function_timeout: Duration,
    _folder: WorkerFolder,
}

impl TestWorker {
    /// A worker with the defaults of every variable.
    ///
    /// # Panics
    /// If the worker could not start on Lambda either, or without write access to `/tmp`.
    pub fn new(own: Vec<Served>, sdk_config: &SdkConfig) -> Self {
        Self::with_variables(own, sdk_config, &[])
    }

    /// A worker with the variables of the function, such as `LEDGER_BUCKET`. docs/configuration.md lists them.
    ///
    /// # Panics
    /// If the configuration has mistakes, or without write access to `WORK_FOLDER`.
    pub fn with_variables(own: Vec<Served>, sdk_config: &SdkConfig, variables: &[(&str, &str)]) -> Self {
        let config = Config::beside_own_actions(&variables.iter().copied().collect());
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        own_types_are_built(&own).unwrap_or_else(|error| panic!("{error}"));
        let (config, folder) = take_work_folder(config).unwrap_or_else(|error| panic!("{error}"));
        let function_timeout = config.settings.function_timeout;
        Self { worker: worker(config, own, sdk_config), function_timeout, _folder: folder }
    }

    /// Runs one invocation, as a tick does: polls for jobs and takes each to its report.
    ///
    /// # Panics
    /// If the invocation fails: every poll failed, or a job may hang.
    pub async fn invoke(&self) -> Summary {
        let summary = self.worker.invoke(Instant::now() + self.function_timeout).await;
        summary.unwrap_or_else(|error| panic!("{error}"))
    }
}
