//! Status summaries of executions (API reference, "PipelineExecution": `statusSummary`), and URLs of revisions.

use super::{
    Engine,
    state::{ActionExecution, ActionStatus, Execution, ExecutionStatus, Place},
    urls::{self, Ids},
};

impl Engine {
    /// The reason for the status; `None` if the status explains itself.
    pub(crate) fn status_summary(&self, execution: &Execution) -> Option<String> {
        match execution.status {
            ExecutionStatus::InProgress | ExecutionStatus::Succeeded => None,
            ExecutionStatus::Failed => self.failure(execution),
            ExecutionStatus::Stopping | ExecutionStatus::Stopped => execution.stop_reason.clone(),
            ExecutionStatus::Superseded => Some("A newer execution superseded this one while it waited".to_owned()),
            ExecutionStatus::Cancelled => Some(
                "The pipeline's definition was updated before the pipeline execution could be completed".to_owned(),
            ),
        }
    }

    fn failure(&self, execution: &Execution) -> Option<String> {
        let Place::Ended(Some(group)) = &execution.place else { return None };
        let mut actions = group.actions.iter().filter_map(|number| self.actions.get(number));
        let failed = actions.find(|action| action.status == ActionStatus::Failed)?;
        let (name, stage) = (&failed.declaration.name, &failed.stage);
        let message = failed.error.as_ref().map_or("", |error| error.message.as_str());
        Some(format!("Action '{name}' in stage '{stage}' failed: {message}"))
    }

    /// The URL of the revision that a source action found, by the template of the action type.
    pub(crate) fn revision_url(&self, action: &ActionExecution) -> Option<String> {
        let action_type = self.known_action_type(&action.declaration.action_type_id)?;
        let template = action_type.settings.as_ref()?.revision_url_template.as_ref()?;
        let revision = action.revision.as_ref().map(|revision| revision.id.as_str());
        urls::fill(template, &action.configuration, Ids { revision, ..Ids::default() })
    }
}
