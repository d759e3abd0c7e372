//! The actions that providers run, each as a task of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::engine::{Done, Failed, RunId, Task};
use crate::providers::Providers;
use crate::s3::Store;

/// The end of a run, for the driver.
pub(crate) struct Finished {
    pub(crate) id: RunId,
    pub(crate) result: Result<Done, Failed>,
}

/// The runs in progress.
pub(crate) struct Runs {
    providers: Arc<Providers>,
    store: Store,
    environment: Arc<BTreeMap<String, String>>,
    finished: mpsc::UnboundedSender<Finished>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// All tasks that have not ended, also those that were told to end.
    tasks: JoinSet<()>,
    by_id: BTreeMap<RunId, AbortHandle>,
    /// Whether no run may start any more.
    closed: bool,
}

impl Runs {
    /// Returns no runs yet, and where the ends of runs arrive. `environment` leads the AWS SDKs of commands to this emulator.
    pub(crate) fn new(
        providers: Providers,
        store: Store,
        environment: BTreeMap<String, String>,
    ) -> (Self, mpsc::UnboundedReceiver<Finished>) {
        let (finished, ends) = mpsc::unbounded_channel();
        let (providers, environment, running) = (Arc::new(providers), Arc::new(environment), Mutex::default());
        (Self { providers, store, environment, finished, running }, ends)
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a run. Its end arrives at the driver unless the run is ended before. Does nothing once all runs were ended.
    pub(crate) fn start(&self, id: RunId, task: Task, encryption_key: Option<String>) {
        let (providers, store, finished) = (Arc::clone(&self.providers), self.store.clone(), self.finished.clone());
        let environment = Arc::clone(&self.environment);
        let mut running = self.lock();
        if running.closed {
            return;
        }
        while running.tasks.try_join_next().is_some() {}
        let handle = running.tasks.spawn(async move {
            let result = providers.run(task, (store, encryption_key), &environment).await;
            // The driver is gone only if the emulator ends.
            let _ = finished.send(Finished { id, result });
        });
        running.by_id.insert(id, handle);
    }

    /// Ends a run. Ignores a run that has ended, or that another emulator started.
    pub(crate) fn end(&self, id: RunId) {
        if let Some(handle) = self.lock().by_id.remove(&id) {
            handle.abort();
        }
    }

    /// Forgets a run that has finished.
    pub(crate) fn forget(&self, id: RunId) {
        self.lock().by_id.remove(&id);
    }

    /// Ends all runs, whose ends then do not arrive at the driver. No other run starts.
    pub(crate) fn abort(&self) {
        let mut running = self.lock();
        running.closed = true;
        running.tasks.abort_all();
    }

    /// Ends all runs, and waits until nothing of them is left.
    pub(crate) async fn stop(&self) {
        self.abort();
        let mut left = std::mem::take(&mut self.lock().tasks);
        left.shutdown().await;
    }
}
