//! The tasks and threads that a store starts. They must end before the job's folder is removed.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::Instrument;

/// The tasks and threads of one store.
#[derive(Default)]
pub(super) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Starts a task. Its log lines belong to the caller's span. It continues if the receiver is dropped.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        self.with(|tasks| {
            let task = async move {
                // The receiver is gone if the caller was cancelled.
                let _ = sender.send(work.await);
            };
            tasks.spawn(task.in_current_span())
        });
        receiver
    }

    /// Starts a thread. Its log lines belong to the caller's span. The work must check whether to stop.
    pub(super) fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let span = tracing::Span::current();
        self.with(|tasks| {
            tasks.spawn_blocking(move || {
                let _ = sender.send(span.in_scope(work));
            })
        });
        receiver
    }

    /// Waits until all tasks and threads have ended.
    pub(super) async fn finished(&self) {
        let mut tasks = self.with(std::mem::take);
        while tasks.join_next().await.is_some() {}
    }

    fn with<T>(&self, work: impl FnOnce(&mut JoinSet<()>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
