//! Stops staging early. A thread cannot be cancelled from outside, so it checks a signal at every chunk.

use std::sync::Arc;

use tokio::sync::watch;

use super::error::Problem;

/// The signal to stop. All clones share it.
#[derive(Clone)]
pub(super) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Sets the signal.
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Returns [`Problem::Interrupted`] if the signal is set.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if *self.0.borrow() { Err(Problem::Interrupted) } else { Ok(()) }
    }

    /// Waits until the signal is set.
    pub(super) async fn stopped(&self) {
        // An error would mean that the sender was dropped, but `self` holds it.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// A guard for a future. If the caller drops the future, the work stops.
    pub(super) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

/// Stops the work when dropped. Does nothing if the work has ended.
pub(super) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
