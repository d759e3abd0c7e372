//! Notes the steps of action executions at the engine's time.

use super::{
    Engine,
    state::{ActionExecution, ActionNumber, JobNumber, JobState, StepKind},
};

impl Engine {
    /// Notes a step of the action itself.
    pub(super) fn note_step(&mut self, action: ActionNumber, kind: StepKind) {
        let now = self.clock;
        if let Some(action) = self.actions.get_mut(&action) {
            action.timeline.note(now, kind);
        }
    }

    /// Notes a step of the job.
    pub(super) fn note_job_step(&mut self, job: JobNumber, kind: StepKind) {
        let now = self.clock;
        let Some(job) = self.jobs.get(&job) else { return };
        if let Some(action) = self.actions.get_mut(&job.action) {
            action.timeline.note_job(now, kind, &job.id);
        }
    }

    /// The action execution with this id, or that of the job with this id.
    pub(crate) fn action_of_id(&self, id: &str) -> Option<&ActionExecution> {
        match self.job_numbers.get(id).and_then(|number| self.jobs.get(number)) {
            Some(job) => self.actions.get(&job.action),
            None => self.running.iter().filter_map(|number| self.actions.get(number)).find(|action| action.id == id),
        }
    }

    /// The action whose job a worker or a function works on. `None` if there are several.
    pub(crate) fn only_worked_on(&self) -> Option<&ActionExecution> {
        // Few actions run, but jobs that ended stay for an hour.
        let is_worked_on = |action: &&ActionExecution| {
            let number = action.timeline.current_job().and_then(|id| self.job_numbers.get(id));
            number.and_then(|number| self.jobs.get(number)).is_some_and(|job| job.state == JobState::InProgress)
        };
        let mut actions = self.running.iter().filter_map(|number| self.actions.get(number)).filter(is_worked_on);
        actions.next().filter(|_| actions.next().is_none())
    }
}
