//! One invocation: polls while there is room and time, takes each job to its report, and counts what happened.

mod elsewhere;
mod error;
mod failed;
mod invoked;
mod measures;
mod problems;
mod recovery;
mod shift;
mod span;
mod started;
mod stopping;
mod summary;
mod throttles;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::actions::{Abandoned, Served};
use crate::job::ActionTypeId;
use crate::lifecycle::{Invocation, Lifecycle};
use crate::metrics::{Metrics, counted};
use shift::Shift;
use throttles::Throttles;

pub use error::InvocationError;
pub use summary::Summary;

/// Owner whose jobs arrive as events, so it is never polled (Lambda Invoke).
const INVOKED: &str = "AWS";

/// Serves a set of action types. Created once per process. Each invocation calls one of its methods once.
pub struct Worker {
    lifecycle: Arc<Lifecycle>,
    served: Vec<Arc<Served>>,
    concurrency: usize,
    polls: bool,
    patience: Patience,
    throttles: Throttles,
}

/// How long to poll for the job of an action that has just begun. Its event comes before CodePipeline offers the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The maximum number of polls.
    pub tries: u32,
    /// The pause after the n-th poll is n times this, plus or minus up to half a step at random.
    pub step: Duration,
}

impl Default for Patience {
    /// Ten polls over about 18 s: the first pause is 0.4 s, the last 3.6 s. An AWS sample also polls ten times, every 5 s.
    fn default() -> Self {
        Self { tries: 10, step: Duration::from_millis(400) }
    }
}

impl Worker {
    /// A worker that runs at most `concurrency` jobs at a time and keeps `staging` free around an action's own time.
    pub fn new(lifecycle: Lifecycle, served: Vec<Served>, concurrency: usize, staging: Duration) -> Self {
        let served = served.into_iter().map(|served| Arc::new(Served { staging, ..served })).collect();
        let (patience, throttles) = (Patience::default(), Throttles::default());
        Self { lifecycle: Arc::new(lifecycle), served, concurrency, polls: true, patience, throttles }
    }

    /// Changes how long the worker polls for the job of an action that has just begun.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Pauses the worker if `polls` is `false`: it then takes no job from a poll. It still adopts jobs of workers that died, stops work
    /// outside, and runs Lambda Invoke jobs, which arrive as events.
    #[must_use]
    pub fn polling(mut self, polls: bool) -> Self {
        self.polls = polls;
        self
    }

    /// Writes metrics. Without this call, the worker writes none.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        if let Some(lifecycle) = Arc::get_mut(&mut self.lifecycle) {
            lifecycle.metrics = metrics;
        }
        self
    }

    /// A tick of the schedule. Polls every action type and runs jobs until none is left or too little time remains. Then adopts the
    /// jobs of workers that died. When this returns, every claimed job has been reported and every task has ended.
    ///
    /// # Errors
    /// Returns an error if every poll failed, or if a job may hang. The log has other problems.
    pub async fn invoke(&self, deadline: Instant) -> Result<Summary, InvocationError> {
        self.poll_all(deadline, Some(1)).await
    }

    /// Does the work of a tick, because work outside has ended and a job waits for its result. The metrics don't count it as a tick.
    ///
    /// # Errors
    /// Returns the errors of [`Worker::invoke`].
    pub async fn work_ended(&self, deadline: Instant) -> Result<Summary, InvocationError> {
        self.poll_all(deadline, None).await
    }

    async fn poll_all(&self, deadline: Instant, ticks: Option<u64>) -> Result<Summary, InvocationError> {
        let began = Instant::now();
        if !self.polls {
            tracing::info!("polled no action type, because the worker is paused (POLLING is false)");
        }
        let served = self.polled(|_| self.polls);
        let mut shift = Shift::new(self, served, Invocation::until(deadline));
        shift.meter.values.ticks = ticks;
        shift.work().await;
        let recovered = recovery::recover(&mut shift).await;
        sum_up(shift, began).and_then(|summary| recovered.map(|()| summary))
    }

    /// Stops the work outside of an action that was abandoned or cancelled.
    ///
    /// # Errors
    /// Returns an error if the work may still be running.
    pub async fn action_over(
        &self,
        action_type: &ActionTypeId,
        execution_id: Option<&str>,
        deadline: Instant,
    ) -> Result<Summary, InvocationError> {
        let mut meter = self.lifecycle.measure_invocation();
        let types = self.polled(|served| served.action_type == *action_type);
        if types.is_empty() {
            tracing::info!(actionType = %action_type, "ignored the end of an action: its type is not polled");
            return Ok(Summary::default());
        }
        let Some(execution_id) = execution_id else {
            return Err(InvocationError::UnnamedExecution(action_type.clone()));
        };
        let abandoned = Abandoned { execution_id: execution_id.to_owned(), token: None };
        let stopped =
            self.stop_at_each(&types, &abandoned, deadline, |served, it| served.action.stop_boxed(it)).await?;
        let summary = Summary { stopped: stopped.len(), ..Summary::default() };
        meter.values.actions_stopped = counted(summary.stopped);
        span::of_action(action_type, execution_id)
            .in_scope(|| tracing::info!(stopped = summary.stopped, "an action was abandoned or cancelled"));
        Ok(summary)
    }

    /// Runs the job in a `CodePipeline.job` event. The job has been reported when this returns, as failed if no action is configured
    /// for it.
    ///
    /// # Errors
    /// Returns an error if the event holds no job, or if the job may hang.
    pub async fn run_job(&self, event: &Value, deadline: Instant) -> Result<Summary, InvocationError> {
        let began = Instant::now();
        let _meter = self.lifecycle.measure_invocation();
        let mut summary = Summary::default();
        summary.count(invoked::run(self, event, deadline).await?);
        summary.log(began);
        self.all_reported(summary)
    }

    /// Returns an error if a job may hang, so that the function's error metric shows it. A job that a later invocation adopts does
    /// not hang.
    fn all_reported(&self, summary: Summary) -> Result<Summary, InvocationError> {
        let Summary { unreported, unknown, no_ledger, denied, .. } = summary;
        let unknown = if self.lifecycle.ledger.is_some() { 0 } else { unknown };
        if unreported + unknown > 0 {
            return Err(InvocationError::Unreported { unreported, unknown });
        }
        if denied > 0 {
            return Err(InvocationError::Denied(denied));
        }
        if no_ledger > 0 { Err(InvocationError::NoLedger(no_ledger)) } else { Ok(summary) }
    }

    /// The polled action types that `wanted` picks.
    fn polled(&self, wanted: impl Fn(&Served) -> bool) -> Vec<Arc<Served>> {
        let polled = self.served.iter().filter(|served| served.action_type.owner != INVOKED && wanted(served));
        polled.cloned().collect()
    }

    /// How much time must be left to claim a job of this type.
    fn needs(&self, served: &Served) -> Duration {
        served.timeout + served.staging + self.lifecycle.reporting
    }

    /// The shortest time that one of these types needs; `None` without any type.
    fn least_needed(&self, served: &[Arc<Served>]) -> Option<Duration> {
        served.iter().map(|served| self.needs(served)).min()
    }
}

fn sum_up(mut shift: Shift<'_>, began: Instant) -> Result<Summary, InvocationError> {
    measures::of_shift(&mut shift);
    let Shift { summary, polls, worker, .. } = shift;
    summary.log(began);
    let summary = worker.all_reported(summary)?;
    if summary.failed_polls > 0 && summary.failed_polls >= polls {
        return Err(InvocationError::NothingPolled(summary.failed_polls));
    }
    Ok(summary)
}
