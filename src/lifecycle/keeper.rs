//! One worker's part in the life of one job, as the protocol says: asks the ledger whatever the protocol wants to know,
//! until the next step is somebody else's.
//!
//! Without a ledger every write takes effect at once: the same life, with nothing that a successor could find.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::protocol::limits::{self, ON_THE_WAY};
use super::protocol::{Afterwards, Aim, Command, Event, Offers, Phase, Seen, State, next};
use super::{Invocation, continuation};
use crate::calls::Pauses;
use crate::job::{Job, Origin};
use crate::ledger::{self, Content, Entry, Found, InvocationId, Ledger, LedgerError, Version, WriteId, WriteResult};

/// How long a `claiming` entry is its writer's. Who polled the job has held it by then, or has given way.
const CLAIM_LEASE: Duration = ON_THE_WAY;

/// What an invocation holds is its own until it is dead: a watchdog ends the process at the deadline.
const AFTER_DEADLINE: Duration = Duration::from_secs(10);

/// How long it is asked what became of a write that makes the job ours, if nobody answers: some seventeen
/// tries that hang 3 s each, or a hundred that are refused at once. A single one that is answered is enough.
const ASKING: Duration = Duration::from_secs(60);

/// Asking ends so long before the deadline, which is when a worker's time for reporting begins by default.
const FOR_REPORTING: Duration = Duration::from_secs(10);

/// Between tries there is a random time up to 50 ms, doubled each time up to 1 s ("full jitter"): in 5 s some twelve
/// tries, if each is answered at once. The time that each step has ends them, never a count.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(50), Duration::from_secs(1));

/// Keeps a job's entry while the job is looked after.
pub(super) struct Keeper {
    ledger: Option<Ledger>,
    key: ledger::Key,
    /// What the entry says, but for phase and lease.
    entry: Entry,
    /// When the invocation is over.
    deadline: Instant,
    state: State<Version>,
    /// Whether the entry that was found says that its writer was about to acknowledge the job, and no more.
    is_inferring: bool,
    /// How often the job had been adopted when its entry was found.
    found_adoptions: Option<u32>,
    /// What is to be reported, for whoever must do it in our place.
    outcome: String,
    /// The write that the protocol wants. Trying it again is the same write.
    write: Option<(Aim, WriteId)>,
    /// When a write was sent last of which nobody knows whether it took effect, or still will.
    in_doubt: Option<Instant>,
}

impl Keeper {
    /// Of a job that a poll offered, or that was delivered.
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
            pipeline_execution_id: job.pipeline.pipeline_execution_id.clone(),
            action_execution_id: continuation::execution_id(job),
        };
        Self::of(ledger.cloned(), invocation, entry, state)
    }

    /// Of a job whose worker is dead: its lease was over when this version of its entry was read.
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
            in_doubt: None,
        }
    }

    /// When the invocation is over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The job that the entry is about.
    pub(super) fn job(&self) -> &str {
        &self.entry.job
    }

    /// The run of the action, where it is known.
    pub(super) fn action_execution_id(&self) -> Option<&str> {
        self.entry.action_execution_id.as_deref()
    }

    /// What the worker before us had to report.
    pub(super) fn outcome(&self) -> &str {
        &self.outcome
    }

    /// Whether a successor will find what is written here.
    pub(super) fn is_kept(&self) -> bool {
        self.ledger.is_some()
    }

    /// Whether the job is over if the service says that it is not in progress: it was certainly acknowledged. Otherwise other
    /// workers send its report again, up to a limit.
    pub(super) fn is_over(&self) -> bool {
        limits::is_over(self.entry.inferred, self.entry.adoptions)
    }

    /// Whether the outcome that was found is certainly that of the one worker that began the job.
    pub(super) fn found_first_outcome(&self) -> bool {
        self.found_adoptions.is_some_and(limits::is_first_outcome)
    }

    /// Whether a successor will try to stop the work outside: one does, if it finds the outcome of the job's first worker.
    pub(super) fn may_be_stopped_later(&self) -> bool {
        let is_written = matches!(self.state, State::Stopping { entry: Some(_) });
        self.is_kept() && is_written && limits::is_first_outcome(self.entry.adoptions)
    }

    /// The action has ended, and this is to be reported.
    pub(super) fn ended(&mut self, outcome: String) {
        self.outcome = outcome;
        self.tell(Event::Ended);
    }

    /// Whether the ledger has the outcome, as far as we know.
    pub(super) fn has_told_outcome(&self) -> bool {
        matches!(
            &self.state,
            State::Over(_) | State::Writing { aim: Aim::Done, over: Some(_) } | State::Stopping { entry: Some(_) }
        )
    }

    /// Tells the protocol what has happened.
    pub(super) fn tell(&mut self, event: Event<Version>) {
        let state = self.state.clone();
        self.state = next(state, event).0;
    }

    /// Does the ledger's part, until `until`, and gives the command that is the caller's: to acknowledge, run, make a failure
    /// of it, report, or leave. Nothing is written after `until`, but what became of a write that makes the job ours is asked
    /// for longer: whoever went away from a job that it holds would have it fail for a death that never was.
    pub(super) async fn settle(&mut self, until: Instant) -> Command<Version> {
        let mut pauses = 0;
        let mut writes = 0;
        loop {
            let command = self.state.command();
            if matches!(command, Command::Write { .. }) {
                writes += 1;
            }
            // The first write after a refusal may well succeed: it knows the entry now. Further ones meet somebody else's.
            if writes > 2 {
                pause(&mut pauses, until).await;
            }
            let answer = match &command {
                Command::Acknowledge
                | Command::Run
                | Command::Fail
                | Command::Report
                | Command::Stop
                | Command::Leave(_) => return command,
                Command::Read => self.look(until).await,
                _ if Instant::now() >= until => Answer::Never,
                Command::Write { aim, over } => {
                    let sent = Instant::now();
                    let writing = timeout_at(until, self.write(*aim, over.as_ref())).await;
                    let answer = writing.unwrap_or(Answer::Unclear(Some(Event::Unanswered)));
                    match &answer {
                        Answer::Clear(Event::Written(_)) => self.in_doubt = None,
                        Answer::Unclear(_) => self.in_doubt = Some(sent),
                        // A refusal says nothing of an earlier try, which may still be on its way.
                        Answer::Clear(_) | Answer::Never => {}
                    }
                    answer
                }
                Command::Delete(entry) => timeout_at(until, self.delete(entry)).await.into(),
            };
            match answer {
                Answer::Clear(event) => self.tell(event),
                Answer::Never => self.tell(Event::GivenUp),
                Answer::Unclear(event) => {
                    if let Some(event) = event {
                        self.tell(event);
                    }
                    pause(&mut pauses, until.max(self.ask_until())).await;
                }
            }
        }
    }

    /// Reads the entry. After `until` only to learn what became of a write that makes the job ours: one that has had no effect
    /// yet may still have it, as soon after it was sent as leases reckon with, or never.
    async fn look(&self, until: Instant) -> Answer {
        let latest = until.max(self.ask_until());
        let asked = Instant::now();
        if asked >= latest {
            return Answer::Never;
        }
        let answer = timeout_at(latest, self.read()).await.into();
        let may_come = self.doubtful().is_some_and(|sent| asked < (sent + AFTER_DEADLINE).min(self.deadline));
        match (&answer, &self.state) {
            (Answer::Clear(Event::Found(found)), State::Reading { over, .. })
                if may_come && Instant::now() >= until && found.as_ref().map(|seen| &seen.version) == over.as_ref() =>
            {
                Answer::Unclear(None)
            }
            _ => answer,
        }
    }

    /// How long to ask what became of a write that makes the job ours. Now, if there is none in doubt.
    fn ask_until(&self) -> Instant {
        let now = Instant::now();
        self.doubtful().map_or(now, |sent| (sent + ASKING).min(self.deadline - FOR_REPORTING).max(now))
    }

    /// When the write was sent that makes the job ours, if nobody knows what became of it.
    fn doubtful(&self) -> Option<Instant> {
        let is_asking = matches!(self.state, State::Reading { aim: Aim::Hold | Aim::Adopt(_), .. });
        self.in_doubt.filter(|_| is_asking)
    }

    async fn write(&mut self, aim: Aim, over: Option<&Version>) -> Answer {
        let Some(ledger) = &self.ledger else { return Answer::Clear(Event::Written(Version::default())) };
        let id = match self.write {
            Some((before, id)) if before == aim => id,
            _ => WriteId::random(),
        };
        self.write = Some((aim, id));
        let written = match (aim.phase(), over) {
            (Phase::Done, Some(over)) => ledger.mark_done(&self.key, over).await,
            (phase, over) => {
                self.entry.phase = match phase {
                    Phase::Held => ledger::Phase::Held,
                    Phase::Reporting => ledger::Phase::Reporting { outcome: self.outcome.clone() },
                    Phase::Claiming | Phase::Done => ledger::Phase::Claiming,
                };
                self.entry.marked = aim == Aim::Mark;
                self.entry.inferred |= self.is_inferring && matches!(aim, Aim::Adopt(_));
                self.entry.lease = match phase {
                    // A mark is nobody's: whoever is offered the job takes it over at once.
                    _ if self.entry.marked => Duration::ZERO,
                    Phase::Claiming | Phase::Done => CLAIM_LEASE,
                    Phase::Held | Phase::Reporting => self.time_left() + AFTER_DEADLINE,
                };
                ledger.write(&self.key, over, &self.entry, &id).await
            }
        };
        answer(written)
    }

    async fn delete(&self, entry: &Version) -> Answer {
        let Some(ledger) = &self.ledger else { return Answer::Clear(Event::Written(Version::default())) };
        answer(ledger.delete(&self.key, entry).await)
    }

    async fn read(&self) -> Answer {
        let Some(ledger) = &self.ledger else { return Answer::Clear(Event::Found(None)) };
        match ledger.read(&self.key).await {
            Ok(found) => {
                let write = self.write.map(|(_, id)| id);
                Answer::Clear(Event::Found(found.map(|found| seen(&found, write, self.entry.owner))))
            }
            Err(error) => failed(&error, None),
        }
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Waits for a random time, but not beyond `until`.
async fn pause(pauses: &mut u32, until: Instant) {
    *pauses = pauses.saturating_add(1);
    sleep_until((Instant::now() + PAUSES.after(*pauses)).min(until)).await;
}

/// What asking the ledger came to.
enum Answer {
    /// The protocol can go on.
    Clear(Event<Version>),
    /// It must be asked again, after a pause.
    Unclear(Option<Event<Version>>),
    /// No more asking helps, or there is no time for it.
    Never,
}

impl From<Result<Answer, tokio::time::error::Elapsed>> for Answer {
    fn from(asked: Result<Answer, tokio::time::error::Elapsed>) -> Self {
        asked.unwrap_or(Self::Never)
    }
}

fn answer(written: WriteResult) -> Answer {
    match written {
        WriteResult::Written(version) => Answer::Clear(Event::Written(version)),
        WriteResult::Refused => Answer::Clear(Event::Refused),
        WriteResult::Failed(error) => failed(&error, Some(Event::Unanswered)),
    }
}

fn failed(error: &LedgerError, event: Option<Event<Version>>) -> Answer {
    if error.may_pass() {
        tracing::warn!(%error, "the ledger did not answer");
        Answer::Unclear(event)
    } else {
        tracing::error!(%error, "the ledger can't be used");
        Answer::Never
    }
}

fn phase(entry: &Entry) -> Phase {
    match entry.phase {
        ledger::Phase::Claiming => Phase::Claiming,
        ledger::Phase::Held => Phase::Held,
        ledger::Phase::Reporting { .. } => Phase::Reporting,
    }
}

/// An entry as the protocol knows it. What can't be read is left alone, as if it were done: a newer worker has written it.
fn seen(found: &Found, write: Option<WriteId>, owner: InvocationId) -> Seen<Version> {
    let (phase, written, mine) = match &found.content {
        Content::Entry(entry, id) => (phase(entry), write == Some(*id), entry.owner == owner),
        Content::Done | Content::Unreadable(_) => (Phase::Done, false, false),
    };
    Seen { version: found.version.clone(), phase, written, mine, lease_over: found.lease_is_over() }
}
