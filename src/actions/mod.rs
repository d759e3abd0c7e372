//! What the work of a job is: the [`Action`] trait and the actions that come with the worker.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use crate::job::{Failure, FailureKind, Job, Outcome};
use crate::workspace::Workspace;

pub mod command;
mod served;

pub use served::Served;

/// One job's turn at an action.
#[derive(Clone)]
pub struct Run {
    /// The job to work on.
    pub job: Arc<Job>,
    /// The job's folder; its inputs are staged in before the action starts, unless it wants no files.
    pub workspace: Arc<Workspace>,
    /// When the action must have returned. At this moment it is cancelled (its future is dropped) and the job fails.
    pub deadline: Instant,
}

/// The work of an action type. Implementations are shared by all jobs of the type and by all invocations of the process.
pub trait Action: Send + Sync + 'static {
    /// Begins the work for a job that carries no continuation token.
    fn start(&self, run: Run) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Goes on with work that an earlier [`Outcome::Continue`] left running; `token` is what that outcome held.
    ///
    /// An action that never continues need not implement it.
    fn resume(&self, run: Run, token: &str) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = (run, token);
        async {
            let message = "the job carries a continuation token, but its action type never hands one out: another worker polls the same type";
            Err(Failure::new(FailureKind::ConfigurationError, message))
        }
    }

    /// Whether inputs are staged in before the action and outputs staged out after it.
    fn wants_files(&self) -> bool {
        true
    }
}

/// [`Action`] with boxed futures, so that actions of several types fit in one table.
pub(crate) trait BoxedAction: Send + Sync {
    fn start_boxed(&self, run: Run) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + '_>>;
    fn resume_boxed<'a>(
        &'a self,
        run: Run,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + 'a>>;
    fn wants_files_boxed(&self) -> bool;
}

impl<A: Action> BoxedAction for A {
    fn start_boxed(&self, run: Run) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + '_>> {
        Box::pin(self.start(run))
    }

    fn resume_boxed<'a>(
        &'a self,
        run: Run,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + 'a>> {
        Box::pin(self.resume(run, token))
    }

    fn wants_files_boxed(&self) -> bool {
        self.wants_files()
    }
}
