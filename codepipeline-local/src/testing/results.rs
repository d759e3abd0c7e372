//! The results of an action: output variables and artifacts.

use std::collections::HashMap;

use aws_sdk_codepipeline::types::ActionExecutionOutput;

use super::Local;
use super::wait::done;

impl Local {
    /// The output variables of an action's latest execution.
    ///
    /// # Panics
    /// If the action has not run.
    pub async fn variables(&self, pipeline: &str, action: &str) -> HashMap<String, String> {
        self.output(pipeline, action).await.output_variables.unwrap_or_default()
    }

    /// The zip of an action's only output artifact, from its latest execution. [`unzip`](super::unzip) reads it.
    ///
    /// # Panics
    /// If the action has not run, or has no output artifact.
    pub async fn output_artifact(&self, pipeline: &str, action: &str) -> Vec<u8> {
        let output = self.output(pipeline, action).await;
        let artifact = output.output_artifacts().first().and_then(|artifact| artifact.s3_location());
        let place = artifact.unwrap_or_else(|| panic!("the action {action} has no output artifact"));
        let request = self.s3.get_object().set_bucket(place.bucket.clone()).set_key(place.key.clone());
        let object = done("GetObject", request.send().await);
        done("GetObject", object.body.collect().await).to_vec()
    }

    async fn output(&self, pipeline: &str, action: &str) -> ActionExecutionOutput {
        let request = self.codepipeline.list_action_executions().pipeline_name(pipeline);
        let listed = done("ListActionExecutions", request.send().await).action_execution_details.unwrap_or_default();
        let found = listed.into_iter().find(|execution| execution.action_name() == Some(action));
        found.and_then(|execution| execution.output).unwrap_or_else(|| panic!("the action {action} has not run"))
    }
}
