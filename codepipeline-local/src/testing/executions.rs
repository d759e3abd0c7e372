//! Executions of pipelines.

use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::{ActionExecution, PipelineExecutionStatus, StageState};
use tokio::time::Instant;

use super::Local;
use super::wait::{PATIENCE, PAUSE, done, until};

impl Local {
    /// Starts an execution, and returns its id.
    ///
    /// # Panics
    /// If CodePipeline refuses it.
    pub async fn start(&self, pipeline: &str) -> String {
        let request = self.codepipeline.start_pipeline_execution().name(pipeline);
        let started = done("StartPipelineExecution", request.send().await);
        started.pipeline_execution_id.unwrap_or_default()
    }

    /// Starts an execution, and invokes a worker until the execution has ended. Returns how it ended.
    ///
    /// # Panics
    /// If the execution does not end within a minute.
    pub async fn run(&self, pipeline: &str, mut invoke: impl AsyncFnMut()) -> PipelineExecutionStatus {
        let id = self.start(pipeline).await;
        let patience = Instant::now() + PATIENCE;
        loop {
            let status = self.execution_status(pipeline, &id).await;
            if !matches!(status, PipelineExecutionStatus::InProgress | PipelineExecutionStatus::Stopping) {
                return status;
            }
            assert!(Instant::now() < patience, "the execution of {pipeline} did not end within a minute");
            invoke().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The status of an execution.
    ///
    /// # Panics
    /// If there is no such execution.
    pub async fn execution_status(&self, pipeline: &str, id: &str) -> PipelineExecutionStatus {
        let request = self.codepipeline.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id);
        let found = done("GetPipelineExecution", request.send().await);
        let status = found.pipeline_execution.and_then(|execution| execution.status);
        status.unwrap_or_else(|| panic!("the execution {id} has no status"))
    }

    /// The state of a pipeline.
    ///
    /// # Panics
    /// If there is no such pipeline.
    pub async fn state(&self, pipeline: &str) -> GetPipelineStateOutput {
        done("GetPipelineState", self.codepipeline.get_pipeline_state().name(pipeline).send().await)
    }

    /// The latest execution of an action, found by its name: its status, summary, error message and external execution id.
    ///
    /// # Panics
    /// If there is no such pipeline.
    pub async fn action(&self, pipeline: &str, action: &str) -> Option<ActionExecution> {
        let state = self.state(pipeline).await;
        let mut actions = state.stage_states().iter().flat_map(StageState::action_states);
        actions.find(|state| state.action_name() == Some(action))?.latest_execution.clone()
    }

    /// Waits until the action has started, so that the next poll finds its job.
    ///
    /// # Panics
    /// If it does not start within a minute.
    pub async fn until_begun(&self, pipeline: &str, action: &str) {
        until(async || self.action(pipeline, action).await.is_some()).await;
    }
}
