//! The passing of time.

use super::{
    Effect, Engine,
    state::{ActionNumber, JobNumber},
};
use crate::types::{Grant, Timestamp};

impl Engine {
    /// Makes everything happen that is due by `now`, each thing at its own moment: offers taken back, continuations
    /// made ready, actions timed out, finished jobs forgotten, sources looked at, and what follows from it.
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

    /// The next moment at which something happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        let jobs = self.jobs.values().filter_map(|job| self.job_due(job));
        let actions = self.running.iter().filter_map(|number| self.actions.get(number)).map(|action| action.deadline);
        jobs.chain(actions).chain(self.next_source_poll()).min()
    }

    /// What is to be done outside, in this order. Each is given once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether anything is to be done outside.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// What the temporary credentials with this id allow, expired ones included. `None` for an id that the engine never
    /// made.
    pub fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.grants.get(access_key_id).cloned()
    }

    /// Whether the bucket is the artifact store of a pipeline, or was that of an earlier version of it.
    pub fn is_artifact_store(&self, bucket: &str) -> bool {
        self.pipelines.values().any(|pipeline| pipeline.has_artifact_store(bucket))
    }

    /// The latest moment that it was told of.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock
    }
}
