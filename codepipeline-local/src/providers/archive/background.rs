//! Blocking work on a thread of its own, which ends when its caller does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::problem::ArchiveProblem;

/// Ends work on another thread. By default, the work runs to its end.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Returns an error if the caller has ended.
    pub(super) fn check(&self) -> Result<(), ArchiveProblem> {
        if self.0.load(Ordering::Relaxed) { Err(ArchiveProblem::Stopped) } else { Ok(()) }
    }
}

/// Ends the work when the future that waits for it is dropped.
struct Guard(Stop);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs blocking work. If the returned future is dropped, the work ends at its next entry or block of bytes.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce(Stop) -> Result<T, ArchiveProblem> + Send + 'static,
) -> Result<T, ArchiveProblem> {
    let stop = Stop::default();
    let _guard = Guard(stop.clone());
    let done = tokio::task::spawn_blocking(move || work(stop)).await;
    // The task fails only if the work panicked, or the runtime ends.
    done.unwrap_or(Err(ArchiveProblem::Stopped))
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_ends_when_its_future_is_dropped() {
        let (started, has_started) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let working = tokio::spawn(in_background(move |stop| {
            let _ = started.send(());
            while stop.check().is_ok() {
                std::thread::yield_now();
            }
            let _ = ended.send(());
            Ok(())
        }));
        has_started.await.unwrap();
        working.abort();
        has_ended.await.unwrap();
    }

    #[tokio::test]
    async fn work_returns_its_result() {
        let limit = 7;
        let done = in_background(move |stop| stop.check().map(|()| limit)).await;
        assert_eq!(done.unwrap(), 7);
    }
}
