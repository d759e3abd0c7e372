//! The harness of the scenarios: an emulator with a pipeline, and workers that run against it in this process.

pub(crate) mod artifact_store;
pub(crate) mod aws_json;
pub(crate) mod children;
mod declarations;
mod function;
pub(crate) mod log;
pub(crate) mod metrics;
mod server;
pub(crate) mod small_disk;
pub(crate) mod source;
pub(crate) mod sts;
pub(crate) mod tee;

use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use aws_config::SdkConfig;
use codepipeline_local::Options;
use codepipeline_local::testing::{Local, property};
use codepipeline_worker::artifacts::{Stores, UnpackLimits};
use codepipeline_worker::config::Config;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::metrics::Metrics;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::{Summary, Worker};
use serde_json::Value;
use tokio::time::Instant;

use self::children::Children;
pub(crate) use self::declarations::{action_type, custom, shell};
pub(crate) use self::function::function;
pub(crate) use codepipeline_local::testing::{
    ROLE, SOURCE_BUCKET, STORE, action, input, output, sdk_config, until, zip,
};

/// The emulator and its clients, and the folder and the processes of the test's worker.
pub(crate) struct World {
    pub(crate) local: Local,
    pub(crate) folder: tempfile::TempDir,
    children: OnceLock<Children>,
}

impl Deref for World {
    type Target = Local;

    fn deref(&self) -> &Local {
        &self.local
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self { local: Local::new(options).await, folder: tempfile::tempdir().unwrap(), children: OnceLock::new() }
    }

    /// Waits until the test may start processes. Its worker may then run no commands in this process.
    pub(crate) fn start_processes(&self) {
        self.children.get_or_init(Children::of_the_test).assert_of_the_test();
    }

    /// A worker with these `ACTIONS`, configured as from its environment. Waits until it may run commands.
    pub(crate) fn worker(&self, actions: &Value) -> Worker {
        self.worker_with(actions, &[])
    }

    pub(crate) fn worker_with(&self, actions: &Value, variables: &[(&str, &str)]) -> Worker {
        self.children.get_or_init(Children::of_commands).assert_of_commands();
        codepipeline_worker::worker(self.config(actions, variables), Vec::new(), &self.sdk_config)
    }

    pub(crate) fn config(&self, actions: &Value, variables: &[(&str, &str)]) -> Config {
        let mut all: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.insert("ACTIONS".into(), actions.to_string());
        all.insert("WORK_FOLDER".into(), self.work_folder().to_str().unwrap().to_owned());
        Config::from_variables(&all.into_iter().collect()).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn work_folder(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Creates a custom action type that takes and makes up to five artifacts. `properties` are names; `!` marks a
    /// secret one, `?` a required and queryable one.
    pub(crate) async fn create_type(&self, category: &str, provider: &str, properties: &[&str]) {
        let marked = properties.iter().map(|name| {
            let (secret, queryable) = (name.ends_with('!'), name.ends_with('?'));
            property(name.trim_end_matches(['!', '?'])).secret(secret).required(queryable).queryable(queryable)
        });
        self.local.create_type(category, provider, marked).await;
    }
}

/// A lifecycle with small limits, no client tokens and a wall clock that stands still.
pub(crate) fn lifecycle(sdk_config: &SdkConfig, work_folder: PathBuf) -> Lifecycle {
    Lifecycle {
        queue: Queue::new(sdk_config, None),
        ledger: None,
        stores: Stores::new(sdk_config),
        unpacking: UnpackLimits { max_unpacked_bytes: 1 << 20, max_entries: 100 },
        work_folder,
        clean: None,
        min_free_bytes: 0,
        reporting: Duration::from_secs(10),
        metrics: Metrics::off(),
        wall_clock: Arc::new(|| UNIX_EPOCH),
    }
}

/// Runs one invocation whose deadline is 15 minutes away.
pub(crate) async fn invoke(worker: &Worker) -> Summary {
    worker.invoke(Instant::now() + Duration::from_secs(900)).await.unwrap_or_else(|error| panic!("{error}"))
}
