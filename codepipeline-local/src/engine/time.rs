//! Time, and access to effects and permissions.

use super::{
    Effect, Engine,
    state::{ActionNumber, JobNumber},
};
use crate::types::{Grant, Timestamp};

impl Engine {
    /// Makes each change that is due by `now`, at its own time. Unanswered offers expire, continuations become
    /// available, actions time out, finished jobs are purged, and sources are polled.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.clock = self.clock.max(due);
            let jobs: Vec<JobNumber> = self
                .jobs
                .iter()
                .filter(|(_, job)| self.job_due(job).is_some_and(|at| at <= due))
                .map(|(number, _)| *number)
                .collect();
            for number in jobs {
                self.job_is_due(number);
            }
            let late: Vec<ActionNumber> = self
                .running
                .iter()
                .copied()
                .filter(|number| self.actions.get(number).is_some_and(|action| action.deadline <= due))
                .collect();
            for number in late {
                self.time_out_action(self.clock, number);
            }
            self.poll_sources(due);
            self.settle(self.clock);
        }
        self.clock = self.clock.max(now);
    }

    /// The time of the next change without a request. `None` for a halted engine.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.halted {
            return None;
        }
        let jobs = self.jobs.values().filter_map(|job| self.job_due(job));
        let actions = self.running.iter().filter_map(|number| self.actions.get(number)).map(|action| action.deadline);
        jobs.chain(actions).chain(self.next_source_poll()).min()
    }

    /// Takes the effects, in order. Each is returned once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether there are effects to take.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The permissions of the temporary credentials with this id, which may have expired. `None` for an id that the
    /// engine did not issue.
    pub fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.grants.get(access_key_id).cloned()
    }

    /// Whether the bucket is the artifact store of any version of a pipeline.
    pub fn is_artifact_store(&self, bucket: &str) -> bool {
        self.pipelines.values().any(|pipeline| pipeline.has_artifact_store(bucket))
    }

    /// The latest time that the engine was given.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock
    }
}
