//! Progress of executions: into a stage, through its run orders, to the next stage.

use super::{
    Engine,
    state::{ActionStatus, Execution, ExecutionMode, ExecutionNumber, ExecutionStatus, Group, Place, StageStatus},
};
use crate::types::Timestamp;

impl Engine {
    /// Moves each execution as far as possible. Each change that may unblock an execution ends with this call.
    pub(super) fn settle(&mut self, now: Timestamp) {
        loop {
            let numbers: Vec<ExecutionNumber> = self.active.iter().copied().collect();
            let mut moved = false;
            for number in numbers {
                moved |= self.step(now, number);
            }
            if !moved {
                return;
            }
        }
    }

    /// Makes one step of one execution. Returns whether it moved.
    fn step(&mut self, now: Timestamp, number: ExecutionNumber) -> bool {
        let Some(execution) = self.executions.get(&number) else { return false };
        match &execution.place {
            Place::Ended(_) => false,
            Place::Waiting { stage } => {
                let stage = *stage;
                if execution.status == ExecutionStatus::Stopping {
                    self.end(now, number, ExecutionStatus::Stopped);
                    return true;
                }
                if self.is_superseded(execution, number) {
                    self.end(now, number, ExecutionStatus::Superseded);
                    return true;
                }
                if !self.may_enter(execution) {
                    return false;
                }
                if let Some(execution) = self.executions.get_mut(&number) {
                    execution.stages.push(StageStatus::InProgress);
                    execution.updated = now;
                }
                self.emit_stage_event(number, StageStatus::InProgress.event_state());
                self.run_next_group(now, number, stage, 0)
            }
            Place::Running(Group { stage, run_order, actions }) => {
                let (stage, run_order) = (*stage, *run_order);
                let statuses = || actions.iter().filter_map(|action| self.actions.get(action)).map(|a| a.status);
                if statuses().any(|status| status == ActionStatus::InProgress) {
                    return false;
                }
                if execution.status == ExecutionStatus::Stopping {
                    self.mark_stage(number, StageStatus::Stopped);
                    self.end(now, number, ExecutionStatus::Stopped);
                    return true;
                }
                if statuses().any(|status| status == ActionStatus::Failed) {
                    self.mark_stage(number, StageStatus::Failed);
                    self.end(now, number, ExecutionStatus::Failed);
                    return true;
                }
                self.run_next_group(now, number, stage, run_order)
            }
        }
    }

    /// In SUPERSEDED mode, only the newest execution waits for a stage.
    fn is_superseded(&self, execution: &Execution, number: ExecutionNumber) -> bool {
        execution.declaration.execution_mode == ExecutionMode::Superseded
            && self
                .same_pipeline(execution)
                .any(|(other, newer)| other > number && newer.waits_for_name() == execution.waits_for_name())
    }

    /// A stage takes one execution at a time, except in PARALLEL mode. Waiting executions enter in order, because the
    /// oldest is asked first. A disabled transition, or the end of the emulator, blocks all of them.
    fn may_enter(&self, execution: &Execution) -> bool {
        let disabled =
            |stage| self.pipelines.get(&execution.pipeline).is_some_and(|it| it.disabled.contains_key(stage));
        if self.halted || execution.waits_for_name().is_some_and(disabled) {
            return false;
        }
        execution.declaration.execution_mode == ExecutionMode::Parallel
            || !self.same_pipeline(execution).any(|(_, peer)| peer.runs_in() == execution.waits_for_name())
    }

    pub(super) fn same_pipeline<'a>(
        &'a self,
        execution: &'a Execution,
    ) -> impl Iterator<Item = (ExecutionNumber, &'a Execution)> {
        self.active
            .iter()
            .filter_map(|number| self.executions.get(number).map(|peer| (*number, peer)))
            .filter(|(_, peer)| peer.pipeline == execution.pipeline)
    }

    /// Starts the stage's actions of the next run order. After the last one, moves on to the next stage or ends the
    /// execution.
    pub(super) fn run_next_group(&mut self, now: Timestamp, number: ExecutionNumber, stage: usize, after: u32) -> bool {
        let Some(declaration) = self.executions.get(&number).map(|execution| execution.declaration.clone()) else {
            return false;
        };
        let actions = &declaration.stages[stage].actions;
        let Some(run_order) = actions.iter().map(|action| action.run_order).filter(|order| *order > after).min() else {
            self.mark_stage(number, StageStatus::Succeeded);
            if stage + 1 == declaration.stages.len() {
                self.end(now, number, ExecutionStatus::Succeeded);
            } else {
                self.put(now, number, Place::Waiting { stage: stage + 1 });
            }
            return true;
        };
        if self.halted {
            return false;
        }
        let started = actions
            .iter()
            .filter(|action| action.run_order == run_order)
            .map(|action| self.start_action(now, number, &declaration, stage, action))
            .collect();
        self.put(now, number, Place::Running(Group { stage, run_order, actions: started }));
        true
    }

    pub(super) fn mark_stage(&mut self, number: ExecutionNumber, status: StageStatus) {
        if let Some(last) = self.executions.get_mut(&number).and_then(|execution| execution.stages.last_mut()) {
            *last = status;
            self.emit_stage_event(number, status.event_state());
        }
    }

    pub(super) fn put(&mut self, now: Timestamp, number: ExecutionNumber, place: Place) {
        if let Some(execution) = self.executions.get_mut(&number) {
            execution.place = place;
            execution.updated = now;
        }
    }

    pub(super) fn end(&mut self, now: Timestamp, number: ExecutionNumber, status: ExecutionStatus) {
        if let Some(execution) = self.executions.get_mut(&number) {
            let group = match &execution.place {
                Place::Running(group) => Some(group.clone()),
                _ => None,
            };
            execution.place = Place::Ended(group);
            execution.status = status;
            execution.updated = now;
        }
        self.active.remove(&number);
        self.emit_pipeline_event(number, status.event_state());
    }
}
