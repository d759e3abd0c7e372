//! The worker as a process that can die: all work that it started dies with it.

use std::sync::Arc;
use std::time::Duration;

use codepipeline_worker::event::Event;
use codepipeline_worker::worker::Worker;
use serde_json::Value;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinError;
use tokio::time::Instant;

/// The reason why the worker wakes.
#[derive(Clone)]
pub(crate) enum Woken {
    Schedule,
    /// This event, which carries the job of a Lambda Invoke action.
    Job(Value),
    /// This event, which says that an action was abandoned.
    Abandonment(Value),
}

/// Creates a worker, as a cold start does.
pub(crate) type Making = Box<dyn Fn() -> Worker + Send + Sync>;

pub(crate) struct Process {
    making: Making,
    worker: Arc<Worker>,
    /// The runtime of all work of this worker, so that a death ends it at once. Without one, it uses the test's.
    runtime: Option<Runtime>,
}

impl Process {
    pub(crate) fn new(making: Making, mortal: bool) -> Self {
        let worker = Arc::new(making());
        Self { making, worker, runtime: mortal.then(runtime) }
    }

    /// Runs one invocation whose deadline is 15 minutes away. Returns whether the invocation succeeded.
    pub(crate) fn invoke(&self, woken: Woken) -> impl Future<Output = bool> + use<> {
        let worker = Arc::clone(&self.worker);
        let handle = self.runtime.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone());
        let invocation = handle.spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(900);
            match woken {
                Woken::Schedule => worker.invoke(deadline).await,
                Woken::Job(event) => worker.run_job(&event, deadline).await,
                Woken::Abandonment(event) => match Event::parse(&event, &[]) {
                    Ok(Event::ActionOver { action_type, execution_id }) => {
                        worker.action_over(&action_type, execution_id.as_deref(), deadline).await
                    }
                    _ => panic!("{event}"),
                },
            }
            .is_ok()
        });
        async move {
            let ended = invocation.await;
            assert!(!ended.as_ref().is_err_and(JoinError::is_panic), "the invocation panicked");
            ended.unwrap_or(false)
        }
    }

    /// Ends the worker, and starts another.
    pub(crate) fn die(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.runtime = Some(runtime());
        self.worker = Arc::new((self.making)());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
