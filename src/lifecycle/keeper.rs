//! Keeps one job's entry for one worker: sends the protocol's requests to the ledger until the protocol has a command for the
//! caller.

mod requests;

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::protocol::limits::{self, ON_THE_WAY};
use super::protocol::{Afterwards, Aim, Command, Event, Offers, Phase, Seen, State, next};
use super::{Invocation, continuation};
use crate::calls::Pauses;
use crate::job::{Job, Origin};
use crate::ledger::{self, Entry, Ledger, Version, WriteId};
use requests::{Reply, phase};

/// The lease of a `claiming` entry. By its end, the worker that polled the job has held it or left it.
const CLAIM_LEASE: Duration = ON_THE_WAY;

/// How long the lease of a held job lasts beyond the deadline. A watchdog ends the process at the deadline, so no job is adopted
/// while its worker lives.
const AFTER_DEADLINE: Duration = Duration::from_secs(10);

/// How long the keeper reads the entry after an unanswered write that holds the job: about 17 reads of 3 s without a response, or
/// 100 that fail at once. One response is enough.
const ASKING: Duration = Duration::from_secs(60);

/// Those reads end this long before the deadline. By default, a worker's time for reporting begins then.
const FOR_REPORTING: Duration = Duration::from_secs(10);

/// The pauses between tries: about twelve tries in 5 s, if each fails at once. Only the time limit of a step ends its tries.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(50), Duration::from_secs(1));

/// Keeps a job's entry for a worker.
pub(super) struct Keeper {
    ledger: Option<Ledger>,
    key: ledger::Key,
    /// The entry; each write sets its phase and lease.
    entry: Entry,
    /// When the invocation must have ended.
    deadline: Instant,
    state: State<Version>,
    /// Whether the adopted entry was `claiming`, so that the acknowledgement is only inferred.
    is_inferring: bool,
    /// How often the job had been adopted when its entry was found.
    found_adoptions: Option<u32>,
    /// The report, for a worker that adopts the job.
    outcome: String,
    /// The write that the protocol wants. A retry has the same id.
    write: Option<(Aim, WriteId)>,
    /// When the last unanswered write was sent. It may still take effect.
    unanswered: Option<Instant>,
}

impl Keeper {
    /// The keeper of a job that a poll offered, or that came in an event.
    pub(super) fn new(ledger: Option<&Ledger>, invocation: Invocation, job: &Job, origin: Origin) -> Self {
        let state = if origin == Origin::Invoked { State::invoked() } else { State::offered() };
        let entry = Entry {
            job: job.id.clone(),
            phase: ledger::Phase::Claiming,
            owner: invocation.id,
            lease: CLAIM_LEASE,
            adoptions: 0,
            origin,
            action_type: job.action_type.clone(),
            marked: false,
            inferred: false,
            pipeline: job.pipeline.pipeline_name.clone(),
            pipeline_execution_id: job.pipeline.pipeline_execution_id.clone(),
            stage: job.pipeline.stage_name.clone(),
            action: job.pipeline.action_name.clone(),
            action_execution_id: continuation::named_execution_id(job),
        };
        Self::of(ledger.cloned(), invocation, entry, state)
    }

    /// The keeper of a dead worker's job. The lease had expired when this version of the entry was read.
    pub(super) fn adopting(
        ledger: &Ledger,
        invocation: Invocation,
        entry: Entry,
        version: Version,
        offers: Offers,
        afterwards: Afterwards,
    ) -> Self {
        let phase = phase(&entry);
        let seen = Seen { version, phase, written: false, mine: false, lease_over: true };
        let state = State::found(&seen, offers, afterwards);
        let found_adoptions = Some(entry.adoptions);
        let adoptions = limits::adoptions(entry.adoptions, phase);
        let entry = Entry { owner: invocation.id, adoptions, ..entry };
        let is_inferring = phase == Phase::Claiming;
        Self { is_inferring, found_adoptions, ..Self::of(Some(ledger.clone()), invocation, entry, state) }
    }

    fn of(ledger: Option<Ledger>, invocation: Invocation, mut entry: Entry, state: State<Version>) -> Self {
        let key = match entry.origin {
            Origin::Invoked => ledger::Key::invoked(&entry.job),
            Origin::Polled | Origin::PolledForClient { .. } => ledger::Key::polled(&entry.job),
        };
        let outcome = match std::mem::replace(&mut entry.phase, ledger::Phase::Claiming) {
            ledger::Phase::Reporting { outcome } => outcome,
            ledger::Phase::Claiming | ledger::Phase::Held => String::new(),
        };
        Self {
            ledger,
            key,
            entry,
            deadline: invocation.deadline,
            state,
            is_inferring: false,
            found_adoptions: None,
            outcome,
            write: None,
            unanswered: None,
        }
    }

    /// When the invocation must have ended.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The id of the run: the action execution, or the first job of a Lambda Invoke action.
    pub(super) fn execution_id(&self) -> &str {
        self.entry.execution_id()
    }

    /// The report that the dead worker left.
    pub(super) fn outcome(&self) -> &str {
        &self.outcome
    }

    /// Whether there is a ledger, so that a later invocation finds the job.
    pub(super) fn is_kept(&self) -> bool {
        self.ledger.is_some()
    }

    /// Whether "not in progress" means that the job has ended: it does if the job was certainly acknowledged. Otherwise later
    /// invocations send its report again, up to a limit.
    pub(super) fn is_over(&self) -> bool {
        limits::is_over(self.entry.inferred, self.entry.adoptions)
    }

    /// Whether the outcome in the entry certainly comes from the worker that started the job.
    pub(super) fn found_first_outcome(&self) -> bool {
        self.found_adoptions.is_some_and(limits::is_first_outcome)
    }

    /// Whether a later invocation will try to stop the work outside. It does if it finds the outcome of the job's first worker.
    pub(super) fn may_be_stopped_later(&self) -> bool {
        let is_written = matches!(self.state, State::Stopping { entry: Some(_) });
        self.is_kept() && is_written && limits::is_first_outcome(self.entry.adoptions)
    }

    /// Whether the next write is the hold.
    pub(super) fn is_to_hold(&self) -> bool {
        matches!(self.state, State::Writing { aim: Aim::Hold, .. })
    }

    /// Takes the report after the action has ended.
    pub(super) fn ended(&mut self, outcome: String) {
        self.outcome = outcome;
        self.tell(Event::Ended);
    }

    /// Whether the ledger has the outcome, as far as this worker knows.
    pub(super) fn has_recorded_outcome(&self) -> bool {
        matches!(
            &self.state,
            State::Over(_) | State::Writing { aim: Aim::Done, over: Some(_) } | State::Stopping { entry: Some(_) }
        )
    }

    /// Tells the protocol what happened.
    pub(super) fn tell(&mut self, event: Event<Version>) {
        let was_claimed = matches!(self.state, State::Acknowledging { .. });
        let told = event.clone();
        let (state, command) = next(self.state.clone(), event);
        self.state = state;
        tracing::trace!(event = ?told, ?command, "the protocol decided");
        if !was_claimed && self.is_kept() && matches!(self.state, State::Acknowledging { .. }) {
            tracing::info!("claimed the job in the ledger");
        }
    }

    /// Sends requests to the ledger until the protocol has a command for the caller: acknowledge, run, fail, report, stop or
    /// leave.
    ///
    /// Writes nothing after `until`. After an unanswered write that holds the job, it reads for longer. If a worker left a job that it
    /// holds, other workers would treat the job as after a worker death.
    pub(super) async fn settle(&mut self, until: Instant) -> Command<Version> {
        let mut pauses = 0;
        let mut writes = 0;
        loop {
            let command = self.state.command();
            if matches!(command, Command::Write { .. }) {
                writes += 1;
            }
            // The first write after a refusal knows the entry's new version. Further refusals mean that another worker writes.
            if writes > 2 {
                pause(&mut pauses, until).await;
            }
            let reply = match &command {
                Command::Acknowledge
                | Command::Run
                | Command::Fail
                | Command::Report
                | Command::Stop
                | Command::Leave(_) => return command,
                Command::Read => self.look(until).await,
                _ if Instant::now() >= until => Reply::GiveUp,
                Command::Write { aim, over } => {
                    let sent = Instant::now();
                    let writing = timeout_at(until, self.write(*aim, over.as_ref())).await;
                    let reply = writing.unwrap_or(Reply::Retry(Some(Event::Unanswered)));
                    match &reply {
                        Reply::Tell(Event::Written(_)) => self.unanswered = None,
                        Reply::Retry(_) => self.unanswered = Some(sent),
                        // A refusal does not answer an earlier try, which may still arrive.
                        Reply::Tell(_) | Reply::GiveUp => {}
                    }
                    reply
                }
                Command::Delete(entry) => timeout_at(until, self.delete(entry)).await.into(),
            };
            match reply {
                Reply::Tell(event) => self.tell(event),
                Reply::GiveUp => self.tell(Event::GivenUp),
                Reply::Retry(event) => {
                    if let Some(event) = event {
                        self.tell(event);
                    }
                    pause(&mut pauses, until.max(self.look_until())).await;
                }
            }
        }
    }

    /// Reads the entry. After `until` it reads only to learn whether an unanswered write that holds the job took effect. Such a
    /// write may still arrive until [`AFTER_DEADLINE`] has passed since it was sent.
    async fn look(&self, until: Instant) -> Reply {
        let latest = until.max(self.look_until());
        let asked = Instant::now();
        if asked >= latest {
            return Reply::GiveUp;
        }
        let reply = timeout_at(latest, self.read()).await.into();
        let may_arrive = self.unanswered_hold().is_some_and(|sent| asked < (sent + AFTER_DEADLINE).min(self.deadline));
        match (&reply, &self.state) {
            (Reply::Tell(Event::Found(found)), State::Reading { over, .. })
                if may_arrive
                    && Instant::now() >= until
                    && found.as_ref().map(|seen| &seen.version) == over.as_ref() =>
            {
                Reply::Retry(None)
            }
            _ => reply,
        }
    }

    /// How long to read after an unanswered write that holds the job. Without such a write: now.
    fn look_until(&self) -> Instant {
        let now = Instant::now();
        self.unanswered_hold().map_or(now, |sent| (sent + ASKING).min(self.deadline - FOR_REPORTING).max(now))
    }

    /// When the unanswered write that holds the job was sent.
    fn unanswered_hold(&self) -> Option<Instant> {
        let is_reading = matches!(self.state, State::Reading { aim: Aim::Hold | Aim::Adopt(_), .. });
        self.unanswered.filter(|_| is_reading)
    }
}

/// Waits for a random time, but not beyond `until`.
async fn pause(pauses: &mut u32, until: Instant) {
    *pauses = pauses.saturating_add(1);
    sleep_until((Instant::now() + PAUSES.after(*pauses)).min(until)).await;
}
