//! Calls that take effect later.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

/// Calls that take effect later, whether or not anyone still waits for them.
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

    /// Has those that are left take no effect.
    pub(crate) fn abort(&self) {
        self.lock().abort_all();
    }

    /// Has those that are left take no effect, and waits until none can.
    pub(crate) async fn stop(&self) {
        let mut left = std::mem::take(&mut *self.lock());
        left.shutdown().await;
    }
}
