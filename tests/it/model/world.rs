//! What there is: jobs as the service knows them, their entries in S3, requests still on their way, and workers.

use std::fmt;

use codepipeline_worker::lifecycle::protocol::{Aim, Phase, State};

/// In units of `ON_THE_WAY`, 30 s: from a poll to holding the job, a claiming entry's lease, and from writing a mark to
/// relying on it.
pub type Time = u8;

/// An entry's `ETag`. It follows from the body, and that bears a write id; so the same write tried twice makes the same one.
pub type Version = u8;

/// Who an entry or a request is of when its worker is gone and another has come in its place.
pub const GONE: u8 = u8::MAX;

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub jobs: Vec<Job>,
    pub workers: Vec<Worker>,
    pub left: Budget,
}

/// How much may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Workers that die amid something.
    pub crashes: u8,
    /// Requests and answers that get lost or late, writes that are refused without need, and times a worker gives up.
    pub faults: u8,
    /// Polls that are answered with a job.
    pub polls: u8,
    /// Times that a job's event is invoked.
    pub invocations: u8,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, faults, polls, invocations } = self;
        write!(f, "{crashes} deaths, {faults} faults, {polls} polls, {invocations} invocations")
    }
}

/// What the service makes of a job.
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
    /// How long ago it was handed out, while it is.
    pub handed_out: Time,
    pub entry: Option<Entry>,
    /// Requests of which nobody awaits the answer any more. Each takes effect at some time.
    pub late: Vec<Late>,
    /// What has happened to it, for the properties.
    pub past: Past,
}

/// How a turn at a job ends.
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
    /// It was never begun.
    #[default]
    None,
    /// It runs.
    Runs,
    /// It runs, and a later job needs it.
    Needed,
    Stopped,
}

/// What has happened to a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// What became of its work outside.
    pub outside: Outside,
    /// How often its action was begun.
    pub runs: u8,
    /// A worker died while it had to do with the job.
    pub died: bool,
    /// A worker could not reach the ledger until it gave up.
    pub given_up: bool,
    /// A worker never learned whether it holds the job, or could tell neither the ledger nor the service how the job ended.
    pub out_of_reach: bool,
    /// Its last report was refused though it is not over, and it will be marked done all the same. What comes of that is not
    /// looked at.
    pub abandoned: bool,
    /// Which property does not hold.
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
    /// It says that the job was not on offer.
    pub marked: bool,
    /// Who had been offered the job when a claiming entry was written, and is still on the way.
    pub awaited: u8,
    /// That the job was acknowledged is inferred only.
    pub inferred: bool,
    /// How often it was adopted after it had begun.
    pub adoptions: u32,
    /// What a reporting entry says is to be reported, where work outside is looked at.
    pub ending: Option<Ending>,
}

impl Entry {
    /// Written at least 30 s ago. Whoever had been offered the job before that has arrived.
    pub fn is_old(&self) -> bool {
        self.age >= 1 && self.awaited == 0
    }
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    Write {
        over: Option<Version>,
        entry: Entry,
    },
    /// Without a condition, whatever there is goes.
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
    /// It has done something. Workers come one after the other, since they are all alike.
    pub came: bool,
    pub part: Part,
}

/// What a worker is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Idle,
    On(Task),
    /// One that knows no ledger.
    Stranger {
        job: usize,
        nonce: u8,
        runs: bool,
    },
}

/// How a worker came to a job, which tells what a refused report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Came {
    /// It is the first to begin it.
    First,
    /// In the place of one that had begun it, and may have reported it.
    AfterAnother,
    /// In the place of one that had its outcome; `is_first` if that was the first to begin it.
    WithOutcome { is_first: bool },
}

/// A job in a worker's hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    pub job: usize,
    pub state: State<Version>,
    /// What the offer said.
    pub nonce: u8,
    /// The write tried last.
    pub write: Option<(Aim, Version)>,
    /// How long ago it was offered.
    pub age: Time,
    /// It found a claiming entry, and so can only infer that the job was acknowledged.
    pub is_inferring: bool,
    /// What its entries say.
    pub inferred: bool,
    /// What its entries say.
    pub adoptions: u32,
    /// Its action has run.
    pub ran: bool,
    pub came: Came,
    /// What it is to report, where work outside is looked at.
    pub ending: Option<Ending>,
    /// A report was sent of which it did not learn whether it took effect.
    pub unanswered: bool,
    /// It stops the work after the mark, which is against the rule.
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
            came: Came::First,
            ending: None,
            unanswered: false,
            owes_stop: false,
        }
    }

    /// Without what makes no difference any more.
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

    /// It may still acknowledge the job, or hold it, and has 30 s for it since the poll.
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

    /// Its action runs, or has run and is not reported.
    pub fn is_running(&self) -> bool {
        use codepipeline_worker::lifecycle::protocol::Afterwards;
        match self.state {
            State::Running { afterwards: Afterwards::Run, .. } => true,
            State::Writing { aim: Aim::Outcome, .. } | State::Reading { aim: Aim::Outcome, .. } => self.ran,
            _ => false,
        }
    }
}

impl World {
    /// What worker `i` is doing for `job`, if it lives.
    pub fn task(&self, i: usize, job: usize) -> Option<&Task> {
        match &self.workers[i] {
            Worker { alive: true, part: Part::On(task), .. } if task.job == job => Some(task),
            _ => None,
        }
    }

    /// Another than `i` that runs the job.
    pub fn another_runs(&self, i: usize, job: usize) -> bool {
        (0..self.workers.len()).filter(|&other| other != i).any(|other| {
            self.task(other, job).is_some_and(Task::is_running)
                || matches!(self.workers[other].part, Part::Stranger { job: its, runs: true, .. } if its == job)
        })
    }

    /// A property is broken, or a job abandoned: there is no point in going on.
    pub fn is_settled(&self) -> bool {
        self.jobs.iter().any(|job| job.past.broken.is_some() || job.past.abandoned)
    }

    /// A new worker comes in the place of one that is gone, and is not taken for it.
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

    /// A version that is nowhere else.
    pub fn fresh(&mut self) -> Version {
        self.name_versions() + 1
    }

    /// Gives versions the smallest names: they matter only by being equal. Returns the greatest.
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
