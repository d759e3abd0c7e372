//! The work of a job: the [`Action`] trait, and the kinds of action that come with the worker.

use std::future::Future;
use std::pin::Pin;

use crate::event::EndOfWork;
use crate::job::{Failure, FailureCode, FailureKind, Outcome};

#[doc(hidden)]
pub mod command;
#[cfg(feature = "http")]
pub mod http;
mod kind;
mod log;
#[cfg(any(feature = "http", feature = "state-machine"))]
mod outside;
mod served;
#[cfg(feature = "state-machine")]
#[doc(hidden)]
pub mod state_machine;
mod timestamp;
mod turn;

pub use crate::redact::{Learned, SecretName};
pub(crate) use kind::{Configured, Kind, Part};
use log::LONGEST_LINE;
pub use log::Log;
pub use secrecy::SecretString;
pub(crate) use served::secret_keys;
pub use served::{LONGEST_RUN, OnCrash, Served};
use turn::CLOSING;
pub use turn::{Abandoned, Link, Links, Turn};

const UNEXPECTED_TOKEN: FailureCode = FailureCode::new("UnexpectedToken");

/// Every kind of action that this build has.
pub(crate) static KINDS: &[Kind] = &[
    command::KIND,
    #[cfg(feature = "http")]
    http::KIND,
    #[cfg(feature = "state-machine")]
    state_machine::KIND,
];

/// The kinds that this build lacks, each with the cargo feature that adds it.
pub(crate) static LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(feature = "http"))]
    ("http", "http"),
    #[cfg(not(feature = "state-machine"))]
    ("stateMachine", "state-machine"),
];

/// The events that report the end of work, of all kinds.
#[doc(hidden)]
pub fn ends_of_work() -> Vec<&'static EndOfWork> {
    KINDS.iter().filter_map(|kind| kind.end_of_work.as_ref()).collect()
}

/// A boxed future, for trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The work of an action type. One value serves all jobs of the type, in all invocations of the process.
///
/// An action must not block its thread. Blocking work belongs in `tokio::task::spawn_blocking`, and should check regularly whether
/// the action was cancelled. If an action blocks its thread, the worker can report the job in time only on another thread
/// (`#[tokio::main(worker_threads = 2)]` or more on one vCPU).
///
/// # Examples
/// An action that starts work in another system, and asks for its end in later jobs:
///
/// ```
/// use codepipeline_worker::actions::{Abandoned, Action, Turn};
/// use codepipeline_worker::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};
///
/// const ROLLOUT_FAILED: FailureCode = FailureCode::new("RolloutFailed");
///
/// struct Rollout {
///     api: Api,
/// }
///
/// impl Action for Rollout {
///     async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
///         let percent = turn.job.configuration.number("Percent", 1..=100)?;
///         // The same id in a second try makes no second rollout.
///         self.api.begin(turn.execution_id(), percent).await;
///         turn.log().info(format_args!("began a rollout to {percent} %"));
///         Ok(Outcome::Continue(going_on(turn.execution_id())))
///     }
///
///     async fn resume(&self, _: Turn, token: &str) -> Result<Outcome, Failure> {
///         match self.api.state(token).await {
///             State::Running => Ok(Outcome::Continue(going_on(token))),
///             State::Done => Ok(Outcome::Finished(Finished {
///                 summary: Some("rolled out".to_owned()),
///                 variables: [("Rollout".to_owned(), token.to_owned())].into(),
///                 ..Finished::default()
///             })),
///             State::Failed => Err(Failure::new(FailureKind::JobFailed, ROLLOUT_FAILED, "the rollout failed")),
///         }
///     }
///
///     async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
///         self.api.cancel(&abandoned.execution_id).await;
///         Ok(())
///     }
///
///     /// The work is elsewhere, so the worker stages no artifacts.
///     fn wants_files(&self) -> bool {
///         false
///     }
/// }
///
/// fn going_on(rollout: &str) -> Continuation {
///     Continuation {
///         token: rollout.to_owned(),
///         summary: Some("rolling out".to_owned()),
///         external_execution_id: Some(rollout.to_owned()),
///         percent_complete: None,
///     }
/// }
/// # struct Api;
/// # enum State { Running, Done, Failed }
/// # impl Api {
/// #     async fn begin(&self, _: &str, _: u64) {}
/// #     async fn state(&self, _: &str) -> State { State::Running }
/// #     async fn cancel(&self, _: &str) {}
/// # }
/// ```
pub trait Action: Send + Sync + 'static {
    /// Starts the work for a job without a continuation token.
    fn start(&self, turn: Turn) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Continues work that an earlier [`Outcome::Continue`] left running. `token` is that outcome's token.
    ///
    /// An action that never returns [`Outcome::Continue`] does not need it.
    fn resume(&self, turn: Turn, token: &str) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = (turn, token);
        async {
            let message = "the job has a continuation token, but this action never returns one: another worker polls the same action type";
            Err(Failure::new(FailureKind::ConfigurationError, UNEXPECTED_TOKEN, message))
        }
    }

    /// Stops work outside that an earlier [`Outcome::Continue`] left running and that no job waits for. The worker may call it for
    /// work that never began or has already ended: then there is nothing to do.
    ///
    /// An action that never returns [`Outcome::Continue`] does not need it.
    fn stop(&self, abandoned: &Abandoned) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = abandoned;
        async { Ok(()) }
    }

    /// Stops work outside that still runs although CodePipeline says that the action has failed, for example because it timed out. If
    /// this worker reported the failure, the work has ended or the worker is stopping it.
    ///
    /// The default does nothing. Implement it only if the action can find out whether the work still runs.
    fn stop_failed(&self, failed: &Abandoned) -> impl Future<Output = Result<Remains, Failure>> + Send {
        let _ = failed;
        async { Ok(Remains::Ignored) }
    }

    /// Whether the worker stages inputs in before the action, and outputs out after it.
    fn wants_files(&self) -> bool {
        true
    }

    /// The action's own secrets, such as a signing key. No report may show them, like the secrets of the job.
    fn secrets(&self) -> Vec<SecretString> {
        Vec::new()
    }
}

/// The work outside of a failed action, as [`Action::stop_failed`] found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// The action did not check.
    Ignored,
    /// Nothing runs.
    Nothing,
    /// The work ran and was stopped.
    Stopped,
}

/// [`Action`] with boxed futures, so that one list can hold different actions.
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
