//! How staging ends early: threads cannot be cancelled from outside, so they ask at every chunk.

use std::sync::Arc;

use tokio::sync::watch;

use super::error::Problem;

/// Says whether the work was told to stop. All clones of one are the same signal.
#[derive(Clone)]
pub(super) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Tells everything that shares this signal to stop.
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Fails with [`Problem::Interrupted`] once stopped.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if *self.0.borrow() { Err(Problem::Interrupted) } else { Ok(()) }
    }

    /// Waits until stopped.
    pub(super) async fn stopped(&self) {
        // An error would mean that the sender is gone, but this holds it.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// A guard for the future that a caller may drop: with it, the work stops.
    pub(super) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

/// Stops the work when dropped; harmless when the work is over.
pub(super) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
