//! CodePipeline: offers, acknowledgements and reports.

use super::rules::Setting;
use super::world::{Ending, Late, Outside, Status, World};

/// The properties, and how one breaks.
pub mod broken {
    pub const NOT_IN_PROGRESS: &str = "nothing is run that is not in progress";
    pub const TWO_RUN: &str = "no two living workers run the same job";
    pub const RAN_TWICE: &str = "an action runs once unless a worker died";
    pub const STOLEN: &str = "no report lands on a job that another runs";
    pub const FAILED: &str = "no job fails without a worker death";
    pub const HOLD_LOST: &str = "no hold is taken from a living worker";
    pub const UNANSWERED: &str = "no event is left without an answer";
    pub const STUCK: &str = "every acknowledged job is reported in the end";
    pub const DONE: &str = "no entry becomes done before its job ends";
    pub const LEFT: &str = "no held job stays on offer";
    pub const RUNS_ON: &str = "the work outside of a failed job is stopped in the end";
    pub const NEEDED: &str = "no work is stopped that a later job needs";
    pub const ALL: [&str; 12] = [
        NOT_IN_PROGRESS,
        TWO_RUN,
        RAN_TWICE,
        STOLEN,
        FAILED,
        HOLD_LOST,
        UNANSWERED,
        STUCK,
        DONE,
        LEFT,
        RUNS_ON,
        NEEDED,
    ];
}

impl World {
    /// Notes a broken property.
    pub fn break_if(&mut self, job: usize, wrong: bool, what: &'static str) {
        if wrong {
            self.jobs[job].past.broken.get_or_insert(what);
        }
    }

    /// Offers a job.
    pub fn hand_out(&mut self, job: usize) -> u8 {
        self.left.polls -= 1;
        self.jobs[job].status = Status::Dispatched;
        self.jobs[job].nonce
    }

    /// The offer lapses, and the job is on offer again.
    pub fn offer_again(&mut self, job: usize, setting: &Setting) {
        self.jobs[job].status = Status::Queued;
        self.jobs[job].handed_out = 0;
        self.jobs[job].nonce += u8::from(setting.service.bumps_nonce);
    }

    /// Acknowledges. Returns whether the response is `InProgress`.
    pub fn acknowledge(&mut self, job: usize, nonce: u8, setting: &Setting) -> bool {
        let job = &mut self.jobs[job];
        match job.status {
            Status::Dispatched if job.nonce == nonce => {
                job.status = Status::InProgress;
                job.handed_out = 0;
                true
            }
            Status::InProgress => setting.service.answers_again && job.nonce == nonce,
            _ => false,
        }
    }

    /// Reports. Returns whether the report is accepted.
    pub fn report(&mut self, job: usize, by: usize, ending: Option<Ending>, setting: &Setting) -> bool {
        let takes = match self.jobs[job].status {
            Status::InProgress => true,
            Status::Queued | Status::Dispatched => setting.service.takes_early_results,
            Status::Over => false,
        };
        if takes {
            let stolen = self.another_runs(by, job);
            self.break_if(job, stolen, broken::STOLEN);
            let job = &mut self.jobs[job];
            job.status = Status::Over;
            job.handed_out = 0;
            if ending == Some(Ending::Continuation) && job.past.outside == Outside::Runs {
                job.past.outside = Outside::Needed;
            }
        }
        takes
    }

    /// A late request arrives.
    pub fn arrive(&mut self, job: usize, which: usize, setting: &Setting) {
        match self.jobs[job].late.remove(which) {
            Late::Write { over, entry } => drop(self.put(job, over, entry)),
            Late::Delete { over } => self.delete(job, over),
            Late::Acknowledge { nonce } => drop(self.acknowledge(job, nonce, setting)),
            Late::Report { by, ending } => drop(self.report(job, usize::from(by), ending, setting)),
        }
    }
}
