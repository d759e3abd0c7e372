//! One invocation: poll while there is room and time, live each job's life, sum up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::actions::Served;
use crate::lifecycle::{End, Lifecycle};
use crate::queue::Offer;

/// A job that waited longer than this for room is not acknowledged any more: the service offers it to others 30 s after
/// the poll.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Polls that bring nothing but jobs which others take, before the invocation gives up: under a re-offer delay of zero
/// such offers could go on for ever.
const FRUITLESS_PASSES: u32 = 3;

/// Serves a set of action types. Made once per process; each invocation is one call of [`Worker::invoke`].
pub struct Worker {
    lifecycle: Arc<Lifecycle>,
    served: Vec<Arc<Served>>,
    concurrency: usize,
    staging: Duration,
}

/// What an invocation did: its answer, and the last line of its log.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Jobs that polls brought.
    pub polled: usize,
    /// Jobs whose acknowledgement was answered with `InProgress`.
    pub claimed: usize,
    /// Jobs that others took first, or that waited too long.
    pub lost: usize,
    /// Jobs reported as succeeded.
    pub succeeded: usize,
    /// Jobs reported as failed.
    pub failed: usize,
    /// Jobs reported with a continuation token.
    pub continued: usize,
    /// Claimed jobs that were over before they could be reported: stopped, timed out, or finished by another.
    pub over: usize,
    /// Jobs of which nobody knows whether they were acknowledged: an answer got lost.
    pub unknown: usize,
    /// Claimed jobs whose report the service has not taken.
    pub undelivered: usize,
    /// Polls that failed; the action types concerned were not polled again.
    pub failed_polls: usize,
}

/// Why an invocation counts as failed, so that the function's error metric shows it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// None of the polls was answered.
    #[error("no action type could be polled: all {0} polls failed (the log says why)")]
    NothingPolled(usize),
    /// Jobs may hang until their action times out.
    #[error(
        "{undelivered} claimed jobs could not be reported, and of {unknown} nobody knows whether they were acknowledged \
         (the log says which): they may hang until their action times out"
    )]
    Unreported {
        /// Claimed jobs whose report the service has not taken.
        undelivered: usize,
        /// Jobs whose acknowledgement is in doubt.
        unknown: usize,
    },
    /// No action type's work fits in the time that the invocation has.
    #[error(
        "no action type was polled: the invocation began with {left} s left, and the shortest action needs {needed} s \
         with staging and reporting; raise the function's timeout or lower timeoutSeconds"
    )]
    NoTime {
        /// Seconds from the start of the invocation to its deadline.
        left: u64,
        /// Seconds that the least demanding action type needs.
        needed: u64,
    },
}

impl Worker {
    /// A worker that runs at most `concurrency` jobs at a time and keeps `staging` free around an action's own time.
    pub fn new(lifecycle: Lifecycle, served: Vec<Served>, concurrency: usize, staging: Duration) -> Self {
        let served = served.into_iter().map(Arc::new).collect();
        Self { lifecycle: Arc::new(lifecycle), served, concurrency, staging }
    }

    /// Works until there is nothing to do or too little time. Every job that is claimed has been reported when this
    /// returns; no task outlives it.
    ///
    /// # Errors
    /// When nothing could be polled at all, or when a job may hang. What else was done is in the log.
    pub async fn invoke(&self, deadline: Instant) -> Result<Summary, InvocationError> {
        let began = Instant::now();
        let mut shift = Shift::new(self, deadline);
        shift.work().await;
        let summary = shift.summary;
        log(&summary, began);
        if summary.undelivered + summary.unknown > 0 {
            return Err(InvocationError::Unreported { undelivered: summary.undelivered, unknown: summary.unknown });
        }
        if summary.failed_polls > 0 && summary.failed_polls >= shift.polls {
            return Err(InvocationError::NothingPolled(summary.failed_polls));
        }
        if shift.polls == 0 && !self.served.is_empty() {
            let shortest = self.served.iter().map(|served| self.needs(served)).min().unwrap_or_default();
            let left = deadline.saturating_duration_since(began);
            return Err(InvocationError::NoTime { left: left.as_secs(), needed: shortest.as_secs() });
        }
        Ok(summary)
    }

    /// How much time must be left for a job of this type to be claimed.
    fn needs(&self, served: &Served) -> Duration {
        served.timeout + self.staging + self.lifecycle.reporting
    }
}

fn log(summary: &Summary, began: Instant) {
    tracing::info!(
        polled = summary.polled,
        claimed = summary.claimed,
        lost = summary.lost,
        succeeded = summary.succeeded,
        failed = summary.failed,
        continued = summary.continued,
        over = summary.over,
        unknown = summary.unknown,
        undelivered = summary.undelivered,
        failed_polls = summary.failed_polls,
        duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "the invocation is over"
    );
}

/// The state of one invocation.
struct Shift<'a> {
    worker: &'a Worker,
    deadline: Instant,
    /// Types still worth polling, in this invocation's order.
    open: Vec<Arc<Served>>,
    running: JoinSet<End>,
    /// Whether what runs must not have company.
    alone: bool,
    /// Offers beyond the room there was; a service that keeps to `maxBatchSize` never makes any.
    waiting: VecDeque<(Arc<Served>, Offer)>,
    polls: usize,
    summary: Summary,
}

impl<'a> Shift<'a> {
    /// Begins at a random type, so that types late in the list get their turn first now and then.
    fn new(worker: &'a Worker, deadline: Instant) -> Self {
        let mut open = worker.served.clone();
        if !open.is_empty() {
            let first = fastrand::usize(..open.len());
            open.rotate_left(first);
        }
        let running = JoinSet::new();
        Self {
            worker,
            deadline,
            open,
            running,
            alone: false,
            waiting: VecDeque::new(),
            polls: 0,
            summary: Summary::default(),
        }
    }

    async fn work(&mut self) {
        let mut fruitless = 0;
        loop {
            let claimed_before = self.summary.claimed;
            self.begin_waiting();
            let brought = self.poll_all().await;
            let Some(end) = self.running.join_next().await else {
                if !brought {
                    return;
                }
                continue;
            };
            self.count(&end);
            while let Some(end) = self.running.try_join_next() {
                self.count(&end);
            }
            fruitless = if self.summary.claimed > claimed_before { 0 } else { fruitless + 1 };
            if fruitless >= FRUITLESS_PASSES && self.running.is_empty() {
                return;
            }
        }
    }

    fn count(&mut self, end: &Result<End, tokio::task::JoinError>) {
        if self.running.is_empty() {
            self.alone = false;
        }
        let Ok(end) = end else {
            // `Lifecycle::live` guards the work itself; a panic here is a mistake of ours around it.
            tracing::error!("the worker panicked over a job");
            self.summary.undelivered += 1;
            return;
        };
        self.summary.claimed += usize::from(!matches!(end, End::Lost | End::Unknown));
        let counter = match end {
            End::Lost => &mut self.summary.lost,
            End::Unknown => &mut self.summary.unknown,
            End::Over => &mut self.summary.over,
            End::Succeeded => &mut self.summary.succeeded,
            End::Failed => &mut self.summary.failed,
            End::Continued => &mut self.summary.continued,
            End::Undelivered => &mut self.summary.undelivered,
        };
        *counter += 1;
    }

    /// Polls each open type once, with the room that is left. Whether any job came.
    async fn poll_all(&mut self) -> bool {
        let mut brought = false;
        for served in self.open.clone() {
            let room = self.room(&served);
            if room == 0 || !self.is_time_for(&served) {
                continue;
            }
            self.polls += 1;
            match self.worker.lifecycle.queue.poll(&served.action_type, served.query_param.as_ref(), room).await {
                Ok(offers) => {
                    brought |= !offers.is_empty();
                    self.summary.polled += offers.len();
                    for offer in offers {
                        self.take(&served, offer);
                    }
                }
                Err(error) => {
                    tracing::error!(action.type = %served.action_type, %error, "the poll failed; the other action types go on");
                    self.summary.failed_polls += 1;
                    self.open.retain(|other| !Arc::ptr_eq(other, &served));
                }
            }
        }
        brought
    }

    /// How many jobs of this type may begin now.
    fn room(&self, served: &Served) -> usize {
        let running = self.running.len();
        if self.alone || (served.alone && running > 0) {
            return 0;
        }
        if served.alone { 1 } else { self.worker.concurrency.saturating_sub(running) }
    }

    fn is_time_for(&self, served: &Served) -> bool {
        self.deadline.saturating_duration_since(Instant::now()) >= self.worker.needs(served)
    }

    /// Begins the job if there is room now, else lets it wait: it is acknowledged only when it can begin.
    fn take(&mut self, served: &Arc<Served>, offer: Offer) {
        if self.room(served) == 0 {
            self.waiting.push_back((Arc::clone(served), offer));
            return;
        }
        self.alone = served.alone;
        let span = tracing::info_span!(
            "job",
            job.id = offer.job.id,
            action.type = %served.action_type,
            pipeline.name = offer.job.pipeline.pipeline_name,
            action.name = offer.job.pipeline.action_name,
        );
        let (lifecycle, served, deadline) = (Arc::clone(&self.worker.lifecycle), Arc::clone(served), self.deadline);
        self.running.spawn(async move { lifecycle.live(offer, &served, deadline).await }.instrument(span));
    }

    /// Gives jobs that waited the room that has become free. One that waited too long, or for which there is no time
    /// left, is not acknowledged: the service offers it again.
    fn begin_waiting(&mut self) {
        for (served, offer) in std::mem::take(&mut self.waiting) {
            if offer.polled_at.elapsed() > LONGEST_WAIT || !self.is_time_for(&served) {
                tracing::info!(job.id = offer.job.id, "left the job to others: no room for it in time");
                self.summary.lost += 1;
            } else {
                self.take(&served, offer);
            }
        }
    }
}
