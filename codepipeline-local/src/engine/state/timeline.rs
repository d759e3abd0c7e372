//! The steps of an action execution, in order.

use serde::{Deserialize, Serialize};

use crate::types::Timestamp;

/// How many steps are kept of the beginning. They show how the action started.
const FIRST: usize = 50;
/// How many steps are kept at most. An action may be continued for days.
const LIMIT: usize = 300;

/// The steps of an action execution. Of a long series, the first and the latest steps are kept.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Timeline {
    steps: Vec<Step>,
    /// The number of steps that were dropped after the first ones.
    left_out: u64,
    /// The number of jobs that the action has had.
    rounds: u32,
}

/// A step of an action execution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) kind: StepKind,
    /// The job's id, if the step is one of a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    /// 1 for the steps of the first job, plus 1 for each continuation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) round: Option<u32>,
    /// The time until which a job waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepKind {
    /// The action started.
    Started,
    /// A job waits until its time. This is the delay after a continuation token.
    Waiting,
    /// A poll may return the job.
    Queued,
    /// A poll returned the job.
    Offered,
    /// No worker acknowledged the job in time, so it is queued again.
    OfferExpired,
    /// A worker acknowledged the job.
    Acknowledged,
    /// The Lambda function was invoked with the job.
    Invoked,
    /// The worker reported success with a continuation token.
    Continued,
    /// The worker reported success.
    ReportedSuccess,
    /// The worker reported a failure.
    ReportedFailure,
    /// The action or its function took too long.
    TimedOut,
    /// A person approved the action.
    Approved,
    /// A person rejected the action.
    Rejected,
    /// The action was abandoned: by a person, by an update of the pipeline, or by a restart.
    Abandoned,
    /// The action succeeded.
    Succeeded,
    /// The action failed.
    Failed,
}

impl Timeline {
    /// Adds a step of the action itself.
    pub(in crate::engine) fn note(&mut self, at: Timestamp, kind: StepKind) {
        self.add(Step { at, kind, job: None, round: None, until: None });
    }

    /// Adds a step of a job.
    pub(in crate::engine) fn note_job(&mut self, at: Timestamp, kind: StepKind, job: &str) {
        self.add(Step { at, kind, job: Some(job.to_owned()), round: Some(self.rounds), until: None });
    }

    /// Adds the first step of the next job. With `until`, the job waits until then.
    pub(in crate::engine) fn note_new_job(&mut self, at: Timestamp, job: &str, until: Option<Timestamp>) {
        self.rounds += 1;
        let kind = if until.is_some() { StepKind::Waiting } else { StepKind::Queued };
        self.add(Step { at, kind, job: Some(job.to_owned()), round: Some(self.rounds), until });
    }

    fn add(&mut self, step: Step) {
        if self.steps.len() == LIMIT {
            self.steps.remove(FIRST);
            self.left_out += 1;
        }
        self.steps.push(step);
    }

    /// The id of the job that took the latest step. `None` if the action itself took it.
    pub(in crate::engine) fn current_job(&self) -> Option<&str> {
        self.steps.last()?.job.as_deref()
    }

    /// The kept steps with their numbers, from 1 on. The numbers of dropped steps are missing.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, &Step)> {
        (1_u64..).zip(&self.steps).map(|(place, step)| {
            let is_early = place <= FIRST as u64;
            (if is_early { place } else { place + self.left_out }, step)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_series_keeps_its_ends_and_its_numbers() {
        let mut timeline = Timeline::default();
        for at in 1..=1000 {
            timeline.note(Timestamp(at), StepKind::Queued);
        }
        let kept: Vec<u64> = timeline.steps().map(|(number, _)| number).collect();
        assert_eq!(kept, (1..=50).chain(751..=1000).collect::<Vec<_>>());
        assert!(timeline.steps().all(|(number, step)| step.at == Timestamp(number)));
    }

    #[test]
    fn each_job_is_the_next_round() {
        let mut timeline = Timeline::default();
        timeline.note_new_job(Timestamp(1), "a", None);
        timeline.note_job(Timestamp(2), StepKind::Continued, "a");
        timeline.note_new_job(Timestamp(2), "b", Some(Timestamp(9)));
        let rounds: Vec<_> = timeline.steps().map(|(_, step)| (step.kind, step.round)).collect();
        let (first, second) = (Some(1), Some(2));
        assert_eq!(rounds, [(StepKind::Queued, first), (StepKind::Continued, first), (StepKind::Waiting, second)]);
    }
}
