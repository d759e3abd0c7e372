//! Lookups of pipeline executions. `starts` starts them, and `progress` moves them.

use super::{
    Engine,
    error::ApiError,
    state::{Execution, ExecutionNumber},
};

impl Engine {
    /// The pipeline's executions, newest first.
    pub(crate) fn executions_of<'a>(
        &'a self,
        pipeline: &'a str,
    ) -> impl Iterator<Item = (ExecutionNumber, &'a Execution)> {
        self.executions
            .iter()
            .rev()
            .filter(move |(_, execution)| execution.pipeline == pipeline)
            .map(|(number, execution)| (*number, execution))
    }

    pub(crate) fn execution(&self, pipeline: &str, id: &str) -> Result<(ExecutionNumber, &Execution), ApiError> {
        self.pipeline(pipeline)?;
        let found = self.executions.iter().find(|(_, execution)| execution.pipeline == pipeline && execution.id == id);
        found.map(|(number, execution)| (*number, execution)).ok_or_else(|| {
            ApiError::new(
                "PipelineExecutionNotFoundException",
                format!("Pipeline '{pipeline}' has no execution with the id '{id}'"),
            )
        })
    }
}
