//! What the work of a job is: the [`Action`] trait and the actions that come with the worker.

use std::future::Future;
use std::pin::Pin;

use secrecy::SecretString;

use crate::event::EndOfWork;
use crate::job::{Failure, FailureCode, FailureKind, Outcome};

#[doc(hidden)]
pub mod command;
#[doc(hidden)]
pub mod http;
mod kind;
mod outside;
mod served;
#[doc(hidden)]
pub mod state_machine;
mod timestamp;
mod turn;

pub(crate) use kind::{Configured, Kind, Part};
pub(crate) use served::secret_keys;
pub use served::{LONGEST_RUN, OnCrash, Served};
use turn::CLOSING;
#[cfg(test)]
pub(crate) use turn::tests::turn_at;
pub use turn::{Abandoned, Link, Links, Turn};

const UNEXPECTED_TOKEN: FailureCode = FailureCode::new("UnexpectedToken");

/// Every kind of action.
#[rustfmt::skip] // One line for each kind.
pub(crate) static KINDS: &[Kind] = &[
    command::KIND,
    http::KIND,
    state_machine::KIND,
];

/// The events with which services say that work of any kind has ended.
#[doc(hidden)]
pub fn ends_of_work() -> Vec<&'static EndOfWork> {
    KINDS.iter().filter_map(|kind| kind.end_of_work.as_ref()).collect()
}

/// A future as trait objects return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The work of an action type. Implementations are shared by all jobs of the type and by all invocations of the process.
///
/// An action must not keep its thread: work that computes or blocks goes to `tokio::task::spawn_blocking`, and looks now and
/// then whether anybody still waits for it. A job whose action keeps its thread is reported in time only if the runtime has
/// another one (`#[tokio::main(worker_threads = 2)]` or more, where there is one vCPU).
pub trait Action: Send + Sync + 'static {
    /// Begins the work for a job that carries no continuation token.
    fn start(&self, turn: Turn) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Goes on with work that an earlier [`Outcome::Continue`] left running; `token` is what that outcome held.
    ///
    /// An action that never continues need not implement it.
    fn resume(&self, turn: Turn, token: &str) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = (turn, token);
        async {
            let message = "the job carries a continuation token, but its action type never hands one out: another worker polls the same type";
            Err(Failure::new(FailureKind::ConfigurationError, UNEXPECTED_TOKEN, message))
        }
    }

    /// Ends work outside that an earlier [`Outcome::Continue`] left running and that nobody waits for any more. It may be
    /// called for work that was never begun or is over: then there is nothing to do.
    ///
    /// An action that never continues need not implement it.
    fn stop(&self, abandoned: &Abandoned) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = abandoned;
        async { Ok(()) }
    }

    /// CodePipeline says that the action has failed: ends its work outside if that still runs. Where this worker reported the
    /// failure, the work is over or is being stopped. But an action also fails when it times out.
    ///
    /// The default ignores it. An action should override this only if it can tell whether the work still runs.
    fn stop_failed(&self, failed: &Abandoned) -> impl Future<Output = Result<Remains, Failure>> + Send {
        let _ = failed;
        async { Ok(Remains::Ignored) }
    }

    /// Whether inputs are staged in before the action and outputs staged out after it.
    fn wants_files(&self) -> bool {
        true
    }

    /// Secrets of the action's own, such as a key that it signs with. Like the job's secrets, they must not be in a report.
    fn secrets(&self) -> Vec<SecretString> {
        Vec::new()
    }
}

/// What an action found of its work outside after it had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// It did not look: this kind of action leaves nothing running that can be found.
    Ignored,
    /// Nothing runs.
    Nothing,
    /// The work ran and was stopped.
    Stopped,
}

/// [`Action`] with boxed futures, so that actions of several types fit in one table.
pub(crate) trait BoxedAction: Send + Sync {
    fn start_boxed(&self, turn: Turn) -> BoxFuture<'_, Result<Outcome, Failure>>;
    fn resume_boxed<'a>(&'a self, turn: Turn, token: &'a str) -> BoxFuture<'a, Result<Outcome, Failure>>;
    fn stop_boxed<'a>(&'a self, abandoned: &'a Abandoned) -> BoxFuture<'a, Result<(), Failure>>;
    fn stop_failed_boxed<'a>(&'a self, failed: &'a Abandoned) -> BoxFuture<'a, Result<Remains, Failure>>;
    fn wants_files_boxed(&self) -> bool;
    fn secrets_boxed(&self) -> Vec<SecretString>;
}

impl<A: Action> BoxedAction for A {
    fn start_boxed(&self, turn: Turn) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(self.start(turn))
    }

    fn resume_boxed<'a>(&'a self, turn: Turn, token: &'a str) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(self.resume(turn, token))
    }

    fn stop_boxed<'a>(&'a self, abandoned: &'a Abandoned) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.stop(abandoned))
    }

    fn stop_failed_boxed<'a>(&'a self, failed: &'a Abandoned) -> BoxFuture<'a, Result<Remains, Failure>> {
        Box::pin(self.stop_failed(failed))
    }

    fn wants_files_boxed(&self) -> bool {
        self.wants_files()
    }

    fn secrets_boxed(&self) -> Vec<SecretString> {
        self.secrets()
    }
}
