//! Lookups for lists of executions and actions. Each is one pass over the state.

use std::collections::BTreeMap;

use super::{
    Engine,
    state::{ActionExecution, ActionNumber, Execution, ExecutionNumber, Revision},
};

impl Engine {
    /// How often the state that views show was written, at least. Two equal numbers mean that nothing changed in between.
    pub(crate) fn writes(&self) -> u64 {
        self.pipelines.writes() + self.executions.writes() + self.actions.writes() + self.action_types.writes()
    }

    /// The latest execution of each pipeline that has one.
    pub(crate) fn latest_executions(&self) -> BTreeMap<&str, (ExecutionNumber, &Execution)> {
        // Later ones replace earlier ones.
        self.executions.iter().map(|(number, execution)| (execution.pipeline.as_str(), (*number, execution))).collect()
    }

    /// The actions of an execution, oldest first.
    pub(crate) fn actions_in(&self, execution: ExecutionNumber) -> impl Iterator<Item = &ActionExecution> {
        self.actions_since(execution).filter(move |action| action.execution == execution)
    }

    /// The source actions of this and all later executions that have reported a revision, oldest first.
    pub(crate) fn sources_since(
        &self,
        execution: ExecutionNumber,
    ) -> impl Iterator<Item = (&ActionExecution, &Revision)> {
        self.actions_since(execution)
            .filter(|action| action.declaration.is_source())
            .filter_map(|action| action.revision.as_ref().map(|revision| (action, revision)))
    }

    /// The action execution with this id, with its pipeline execution.
    pub(crate) fn action(&self, id: &str) -> Option<(ExecutionNumber, &Execution, &ActionExecution)> {
        let action = self.actions.values().rev().find(|action| action.id == id)?;
        Some((action.execution, self.executions.get(&action.execution)?, action))
    }

    /// The actions that started after the execution. One series numbers executions and actions.
    pub(super) fn actions_since(&self, execution: ExecutionNumber) -> impl Iterator<Item = &ActionExecution> {
        let first = ActionNumber::from(u64::from(execution));
        self.actions.range(first..).map(|(_, action)| action)
    }
}
