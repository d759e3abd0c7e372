//! Delayed calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

/// Calls that take effect later, even if the client is gone.
#[derive(Default)]
pub(crate) struct DelayedCalls(Mutex<JoinSet<()>>);

impl DelayedCalls {
    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, call: impl Future<Output = ()> + Send + 'static) {
        let mut calls = self.lock();
        while calls.try_join_next().is_some() {}
        calls.spawn(call);
    }

    /// Cancels the remaining calls.
    pub(crate) fn abort(&self) {
        self.lock().abort_all();
    }

    /// Cancels the remaining calls, and waits until none can take effect.
    pub(crate) async fn stop(&self) {
        let mut left = std::mem::take(&mut *self.lock());
        left.shutdown().await;
    }
}
