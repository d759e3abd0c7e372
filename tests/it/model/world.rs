//! The state of the model: jobs in CodePipeline, their entries in S3, late requests, and workers.

use std::fmt;

use codepipeline_worker::lifecycle::protocol::{Aim, Phase, State};

/// In units of `ON_THE_WAY`, 30 s: from a poll to holding the job, a claiming entry's lease, and from writing a mark to
/// relying on it.
pub type Time = u8;

/// An entry's `ETag`. It follows from the body, and that bears a write id; so the same write tried twice makes the same one.
pub type Version = u8;

/// The owner of an entry or a request whose worker is gone and was replaced.
pub const GONE: u8 = u8::MAX;

/// The whole state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub jobs: Vec<Job>,
    pub workers: Vec<Worker>,
    pub left: Budget,
}

/// How much may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Workers that die while they have something to do.
    pub crashes: u8,
    /// Lost or late requests and responses, refused writes whose condition holds, and workers that give up.
    pub faults: u8,
    /// Polls that bring a job.
    pub polls: u8,
    /// Times that a job's event arrives.
    pub invocations: u8,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, faults, polls, invocations } = self;
        write!(f, "{crashes} deaths, {faults} faults, {polls} polls, {invocations} invocations")
    }
}

/// A job in CodePipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Queued,
    Dispatched,
    InProgress,
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    pub status: Status,
    pub nonce: u8,
    /// How long ago it was offered, while it is on offer.
    pub handed_out: Time,
    pub entry: Option<Entry>,
    /// Late requests, which take effect at some time unanswered.
    pub late: Vec<Late>,
    /// Its history, for the properties.
    pub past: Past,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// It failed, and its work outside may run on.
    Failure,
    /// Its work continues outside, for a later job.
    Continuation,
}

/// The work outside of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outside {
    /// It never started.
    #[default]
    None,
    /// It runs.
    Runs,
    /// It runs, and a later job needs it.
    Needed,
    Stopped,
}

/// The history of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// The state of its work outside.
    pub outside: Outside,
    /// How often its action started.
    pub runs: u8,
    /// A worker died while it had the job.
    pub died: bool,
    /// A worker could not reach the ledger until it gave up.
    pub given_up: bool,
    /// A worker never learned whether it holds the job, or could report the outcome to neither the ledger nor CodePipeline.
    pub out_of_reach: bool,
    /// Its last report was refused although it is not over, and its entry becomes done nevertheless. The consequences are not
    /// checked.
    pub abandoned: bool,
    /// The broken property.
    pub broken: Option<&'static str>,
}

/// The entry in S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    pub version: Version,
    pub phase: Phase,
    pub owner: u8,
    /// How long ago a claiming entry was written.
    pub age: Time,
    /// The mark: the job was not on offer.
    pub marked: bool,
    /// The workers that were offered the job before this claiming entry and have not arrived yet.
    pub awaited: u8,
    /// The acknowledgement is only inferred.
    pub inferred: bool,
    /// How often it was adopted after its start.
    pub adoptions: u32,
    /// The outcome in a reporting entry, if work outside is checked.
    pub ending: Option<Ending>,
}

impl Entry {
    /// Whether it is at least 30 s old, so that every worker that was offered the job before it has arrived.
    pub fn is_old(&self) -> bool {
        self.age >= 1 && self.awaited == 0
    }
}

/// A request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    Write {
        over: Option<Version>,
        entry: Entry,
    },
    /// Without a condition, it deletes any version.
    Delete {
        over: Option<Version>,
    },
    Acknowledge {
        nonce: u8,
    },
    Report {
        by: u8,
        ending: Option<Ending>,
    },
}

/// An invocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    pub alive: bool,
    /// Whether it has done something. Workers start one after the other, since they are all alike.
    pub came: bool,
    pub part: Part,
}

/// The steps of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Idle,
    On(Task),
    /// A worker without a ledger.
    Stranger {
        job: usize,
        nonce: u8,
        runs: bool,
    },
}

/// How a worker came to a job. It decides what a refused report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Came {
    /// It is the first to start it.
    First,
    /// It adopted the job from a worker that had started it and may have reported it.
    AfterAnother,
    /// It adopted the report; `is_first` if the dead worker was the first to start the job.
    WithOutcome { is_first: bool },
}

/// A worker's part in a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    pub job: usize,
    pub state: State<Version>,
    /// The nonce of the offer.
    pub nonce: u8,
    /// The last write.
    pub write: Option<(Aim, Version)>,
    /// How long ago it was offered.
    pub age: Time,
    /// It found a claiming entry, so the acknowledgement is only inferred.
    pub is_inferring: bool,
    /// As its entries record it.
    pub inferred: bool,
    /// As its entries record it.
    pub adoptions: u32,
    /// Its action has run.
    pub ran: bool,
    /// Its action started before the hold, against the rule.
    pub early: bool,
    pub came: Came,
    /// The outcome to report, if work outside is checked.
    pub ending: Option<Ending>,
    /// A report of it is unanswered.
    pub unanswered: bool,
    /// It stops the work after the mark, against the rule.
    pub owes_stop: bool,
}

impl Task {
    pub fn new(job: usize, state: State<Version>) -> Self {
        Self {
            job,
            state,
            nonce: 0,
            write: None,
            age: 0,
            is_inferring: false,
            inferred: false,
            adoptions: 0,
            ran: false,
            early: false,
            came: Came::First,
            ending: None,
            unanswered: false,
            owes_stop: false,
        }
    }

    /// The state without what no longer matters.
    pub fn forget(mut self) -> Self {
        if !self.is_on_its_way() {
            self.age = 0;
            self.nonce = 0;
        }
        if !matches!(self.state, State::Writing { .. } | State::Reading { .. }) {
            self.write = None;
        }
        self
    }

    /// Whether it may still acknowledge or hold the job, within 30 s of the poll.
    pub fn is_on_its_way(&self) -> bool {
        matches!(
            self.state,
            State::Writing { aim: Aim::Claim | Aim::Hold, .. }
                | State::Reading { aim: Aim::Claim | Aim::Hold, .. }
                | State::Acknowledging { .. }
                | State::Vouching
                | State::Deleting { .. }
        )
    }

    /// Whether its action runs, or has run and is not reported.
    pub fn is_running(&self) -> bool {
        use codepipeline_worker::lifecycle::protocol::Afterwards;
        match self.state {
            State::Running { afterwards: Afterwards::Run, .. } => true,
            State::Writing { aim: Aim::Outcome, .. } | State::Reading { aim: Aim::Outcome, .. } => self.ran,
            State::Writing { aim: Aim::Hold, .. } | State::Reading { aim: Aim::Hold, .. } => self.early,
            _ => false,
        }
    }
}

impl World {
    /// The part of worker `i` in `job`, if the worker lives.
    pub fn task(&self, i: usize, job: usize) -> Option<&Task> {
        match &self.workers[i] {
            Worker { alive: true, part: Part::On(task), .. } if task.job == job => Some(task),
            _ => None,
        }
    }

    /// Another worker than `i` that runs the job.
    pub fn another_runs(&self, i: usize, job: usize) -> bool {
        (0..self.workers.len()).filter(|&other| other != i).any(|other| {
            self.task(other, job).is_some_and(Task::is_running)
                || matches!(self.workers[other].part, Part::Stranger { job: its, runs: true, .. } if its == job)
        })
    }

    /// Whether a property is broken or a job abandoned, so that the search stops here.
    pub fn is_settled(&self) -> bool {
        self.jobs.iter().any(|job| job.past.broken.is_some() || job.past.abandoned)
    }

    /// A new worker replaces one that is gone, and does not count as the same.
    pub fn replace(&mut self, i: usize) {
        self.workers[i] = Worker { alive: true, came: true, part: Part::Idle };
        let rename = |worker: &mut u8| {
            if usize::from(*worker) == i {
                *worker = GONE;
            }
        };
        for job in &mut self.jobs {
            if let Some(entry) = &mut job.entry {
                rename(&mut entry.owner);
            }
            for late in &mut job.late {
                match late {
                    Late::Write { entry, .. } => rename(&mut entry.owner),
                    Late::Report { by, .. } => rename(by),
                    Late::Delete { .. } | Late::Acknowledge { .. } => {}
                }
            }
        }
    }

    /// A new version.
    pub fn fresh(&mut self) -> Version {
        self.name_versions() + 1
    }

    /// Renumbers the versions from the smallest number, because only their equality matters. Returns the greatest.
    pub fn name_versions(&mut self) -> Version {
        let mut names = [0_u8; 256];
        let mut last = 0;
        let mut name = |version: &mut Version| {
            let name = &mut names[usize::from(*version)];
            if *name == 0 {
                last += 1;
                *name = last;
            }
            *version = *name;
        };
        for job in &mut self.jobs {
            if let Some(entry) = &mut job.entry {
                name(&mut entry.version);
            }
            for late in &mut job.late {
                match late {
                    Late::Write { over, entry } => {
                        over.iter_mut().for_each(&mut name);
                        name(&mut entry.version);
                    }
                    Late::Delete { over } => over.iter_mut().for_each(&mut name),
                    Late::Acknowledge { .. } | Late::Report { .. } => {}
                }
            }
        }
        for worker in &mut self.workers {
            match &mut worker.part {
                Part::On(task) => {
                    if let Some((_, version)) = &mut task.write {
                        name(version);
                    }
                    match &mut task.state {
                        State::Writing { over, .. } | State::Reading { over, .. } => {
                            over.iter_mut().for_each(&mut name);
                        }
                        State::Reporting { entry } | State::Stopping { entry } => {
                            entry.iter_mut().for_each(&mut name);
                        }
                        State::Acknowledging { entry, .. }
                        | State::Deleting { entry }
                        | State::Running { entry, .. } => {
                            name(entry);
                        }
                        State::Vouching | State::Over(_) => {}
                    }
                }
                Part::Idle | Part::Stranger { .. } => {}
            }
        }
        last
    }
}
