//! The jobs of one invocation: how many run at a time, which type is polled next, and when polling stops.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use super::problems::Problems;
use super::{Summary, Worker, span};
use crate::actions::Served;
use crate::lifecycle::{End, Invocation, Places, guarded};
use crate::metrics::{InvocationMeter, JobMeter, counted};
use crate::queue::{Offer, Polled};

/// The worker does not acknowledge a job that waited longer than this for room: CodePipeline offers it to other workers 30 s after
/// the poll.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How many passes over the types may bring nothing new before the invocation stops polling. Without this limit, jobs that other
/// workers take, or runs that continue at once, could keep it busy until its deadline.
const FRUITLESS_PASSES: u32 = 3;

/// How many unusable third-party jobs the invocation skips in its search for usable ones.
const MOST_UNUSABLE: usize = 25;

/// The state of one invocation.
pub(super) struct Shift<'a> {
    pub(super) worker: &'a Worker,
    pub(super) invocation: Invocation,
    /// Types to poll. A type that brought jobs moves to the end, so that free room goes first to the type that waited longest.
    open: Vec<Arc<Served>>,
    /// Types whose last poll failed and may succeed later.
    put_off: Vec<Arc<Served>>,
    /// The problems that the invocation has logged.
    pub(super) problems: Problems,
    pub(super) meter: InvocationMeter,
    /// The action execution whose start woke the worker, and the time of that event.
    pub(super) started: Option<(String, SystemTime)>,
    /// The time that was left at the start.
    began_with: Duration,
    /// Each task returns `None` if the worker panicked.
    running: JoinSet<Option<End>>,
    /// The places of the jobs. A job whose report is sent needs no room any more, but its task goes on until its entry is done.
    places: Places,
    /// Whether the job in the only room must run alone.
    alone: bool,
    /// How many jobs that run alone the polls returned. Where one followed another, a third is likely.
    in_a_row: usize,
    /// Offers that there is no room for yet. A service that respects `maxBatchSize` never returns any.
    waiting: VecDeque<(Arc<Served>, Offer)>,
    /// The types whose last poll was empty, and when it was sent.
    quiet: Vec<(Arc<Served>, Instant)>,
    /// The action executions of all jobs that polls returned.
    pub(super) seen: BTreeSet<String>,
    pub(super) polls: usize,
    pub(super) summary: Summary,
}

impl<'a> Shift<'a> {
    /// Starts with a random type.
    pub(super) fn new(worker: &'a Worker, mut open: Vec<Arc<Served>>, invocation: Invocation) -> Self {
        if !open.is_empty() {
            let first = fastrand::usize(..open.len());
            open.rotate_left(first);
        }
        let running = JoinSet::new();
        Self {
            worker,
            invocation,
            open,
            put_off: Vec::new(),
            problems: Problems::default(),
            meter: worker.lifecycle.measure_invocation(),
            started: None,
            began_with: invocation.deadline.saturating_duration_since(Instant::now()),
            running,
            places: Places::default(),
            alone: false,
            in_a_row: 0,
            waiting: VecDeque::new(),
            quiet: Vec::new(),
            seen: BTreeSet::new(),
            polls: 0,
            summary: Summary::default(),
        }
    }

    /// Polls and runs jobs until the polls return nothing new. Another call polls the same types again, except those that can't be
    /// polled.
    pub(super) async fn work(&mut self) {
        self.open.append(&mut self.put_off);
        let mut fruitless = 0;
        loop {
            let (seen_before, unusable_before) = (self.seen.len(), self.summary.unusable);
            let given_back = self.places.given_back();
            self.begin_waiting();
            let brought = self.poll_all().await;
            if !self.can_poll_again(given_back).await && !brought {
                return;
            }
            let searching = (unusable_before + 1..=MOST_UNUSABLE).contains(&self.summary.unusable);
            fruitless = if self.seen.len() > seen_before || searching { 0 } else { fruitless + u32::from(brought) };
            if fruitless >= FRUITLESS_PASSES {
                self.open.clear();
                self.put_off.clear();
            }
        }
    }

    /// Waits until a job needs its room no more or has been reported, since something was `given_back` so often. Returns `false`
    /// if all jobs end before that: then another poll would bring nothing that the last one did not.
    async fn can_poll_again(&mut self, given_back: usize) -> bool {
        loop {
            while let Some(end) = self.running.try_join_next() {
                self.count(&end);
            }
            if self.places.given_back() != given_back {
                return true;
            }
            tokio::select! {
                () = self.places.changed_since(given_back) => {}
                end = self.running.join_next() => match end {
                    Some(end) => self.count(&end),
                    None => return false,
                }
            }
        }
    }

    fn count(&mut self, end: &Result<Option<End>, JoinError>) {
        match end {
            Ok(Some(end)) => self.summary.count(*end),
            // Nothing aborts the task, and it catches its panics.
            Ok(None) | Err(_) => self.summary.unreported += 1,
        }
    }

    /// Polls each open type once, for as many jobs as there is room. Returns whether a poll returned a job.
    async fn poll_all(&mut self) -> bool {
        let mut brought = false;
        for served in self.open.clone() {
            let room = self.room(&served);
            if !self.is_time_for(&served) {
                // Only an invocation that was too short from the start is a mistake in the settings.
                let needed = self.worker.needs(&served);
                if self.began_with < needed {
                    self.summary.unpollable += 1;
                    self.problems.too_little_time(&served, self.began_with, needed);
                    self.open.retain(|other| !Arc::ptr_eq(other, &served));
                }
                continue;
            }
            if room == 0 {
                // Stop here: polling the types behind it would starve a type that runs alone.
                if served.alone { break } else { continue }
            }
            if self.is_short_of_disk(&served) {
                continue;
            }
            brought |= self.poll(&served, room).await;
        }
        brought
    }

    /// Polls once. Returns whether the poll returned a job.
    async fn poll(&mut self, served: &Arc<Served>, room: usize) -> bool {
        self.polls += 1;
        self.quiet.retain(|(other, _)| !Arc::ptr_eq(other, served));
        let polled_at = Instant::now();
        match self.worker.lifecycle.queue.poll(&served.action_type, served.query_param.as_ref(), room).await {
            Ok(Polled { offers, unusable, without_token, nothing }) => {
                self.worker.throttles.answered(served);
                self.summary.polled += offers.len() + unusable;
                self.summary.unusable += unusable;
                let problems = &mut self.meter.values.client_token_problems;
                *problems = counted(without_token).map(|more| more + problems.unwrap_or_default()).or(*problems);
                if nothing {
                    self.quiet.push((Arc::clone(served), polled_at));
                }
                if offers.is_empty() && unusable == 0 {
                    return false;
                }
                self.put_last(served);
                for offer in offers {
                    span::of_job(&offer.job).in_scope(|| tracing::info!("CodePipeline offered the job"));
                    self.take(served, offer);
                }
                true
            }
            Err(error) => {
                self.open.retain(|other| !Arc::ptr_eq(other, served));
                if error.may_pass() {
                    self.put_off.push(Arc::clone(served));
                }
                self.problems.poll_failed(served, &error, &self.worker.throttles, &mut self.summary);
                false
            }
        }
    }

    fn put_last(&mut self, served: &Arc<Served>) {
        if let Some(at) = self.open.iter().position(|other| Arc::ptr_eq(other, served)) {
            let moved = self.open.remove(at);
            self.open.push(moved);
        }
    }

    /// How many jobs of this type may start now.
    fn room(&self, served: &Served) -> usize {
        let running = self.places.rooms();
        if (self.alone || served.alone) && running > 0 {
            return 0;
        }
        if served.alone { 1 } else { self.worker.concurrency.saturating_sub(running) }
    }

    /// How long ago the first of the last polls of these types was sent. `None` unless each of them was empty.
    pub(super) fn quiet_for(&self, types: &[Arc<Served>]) -> Option<Duration> {
        let polled_at = |served| self.quiet.iter().find(|(other, _)| Arc::ptr_eq(other, served)).map(|(_, at)| *at);
        let polls: Option<Vec<Instant>> = types.iter().map(polled_at).collect();
        polls?.into_iter().min().map(|first| first.elapsed())
    }

    fn is_time_for(&self, served: &Served) -> bool {
        self.invocation.deadline.saturating_duration_since(Instant::now()) >= self.worker.needs(served)
    }

    /// Whether the disk has too little room for a job of this type. Logs it if so.
    fn is_short_of_disk(&mut self, served: &Served) -> bool {
        let shortage = self.worker.lifecycle.shortage().filter(|_| served.action.wants_files_boxed());
        shortage.inspect(|shortage| self.problems.low_disk(shortage)).is_some()
    }

    /// Starts the job if there is room, or queues it. The worker acknowledges a job only when it can start.
    fn take(&mut self, served: &Arc<Served>, offer: Offer) {
        let execution = offer.job.pipeline.action_execution_id.as_ref().unwrap_or(&offer.job.id);
        self.seen.insert(execution.clone());
        if self.room(served) == 0 {
            self.waiting.push_back((Arc::clone(served), offer));
            return;
        }
        self.alone = served.alone;
        self.in_a_row += usize::from(served.alone);
        // The poll for a third job overlaps the second one's report. A single job costs no such poll.
        let leaves_early = served.alone && self.in_a_row > 1;
        let place = self.places.take(leaves_early, served.alone);
        let span = span::of_job(&offer.job);
        let event_time =
            self.started.as_ref().filter(|(id, _)| offer.job.pipeline.action_execution_id.as_ref() == Some(id));
        let invocation = Invocation { event_time: event_time.map(|(_, time)| *time), ..self.invocation };
        let (lifecycle, served) = (Arc::clone(&self.worker.lifecycle), Arc::clone(served));
        let living = async move {
            let end = guarded(async { lifecycle.live_at(place, offer, &served, invocation).await }).await;
            if end.is_none() {
                // `Lifecycle::live` catches the panics of actions. A panic here is a mistake in the worker.
                tracing::error!("the worker panicked while it took a job");
            }
            end
        };
        self.running.spawn(living.instrument(span));
    }

    fn lose(&mut self, offer: &Offer) {
        let meter = JobMeter::new(&self.worker.lifecycle.metrics, &offer.job.action_type);
        self.summary.count(span::of_job(&offer.job).in_scope(|| End::Lost.measure(&meter)));
    }

    /// Starts queued jobs in the room that is free now. The worker drops a job that waited too long or has too little time left:
    /// CodePipeline offers it again.
    fn begin_waiting(&mut self) {
        for (served, offer) in std::mem::take(&mut self.waiting) {
            if offer.polled_at.elapsed() > LONGEST_WAIT || !self.is_time_for(&served) {
                span::of_job(&offer.job).in_scope(|| {
                    tracing::info!("left the job to other workers: no room became free in time");
                });
                self.lose(&offer);
            } else if self.is_short_of_disk(&served) {
                self.lose(&offer);
            } else {
                self.take(&served, offer);
            }
        }
    }
}
