//! Keeps a panic of an action from ending the job before its report.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::job::{Failure, FailureCode, FailureKind};

const ACTION_PANICKED: FailureCode = FailureCode::new("ActionPanicked");

/// The failure of a job whose action panicked. It does not repeat the panic's message, which may hold a secret.
pub(super) fn panicked() -> Failure {
    Failure::new(FailureKind::JobFailed, ACTION_PANICKED, "the action panicked; the worker's log says where")
}

/// Awaits a call that may panic, such as an action's; `None` if it panics.
///
/// `call` is an async block, so that what it awaits is dropped under the guard. A drop can panic, too.
pub(crate) async fn guarded<T>(call: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(swallow).ok()
}

/// Leaks the payload of a panic. An action may panic with a value whose destructor panics, which would end the worker's task.
pub(super) fn swallow(payload: Box<dyn Any + Send>) {
    std::mem::forget(payload);
}
