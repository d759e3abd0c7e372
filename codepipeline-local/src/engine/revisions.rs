//! Source revisions: `PutActionRevision`, and the current revision of an action.

use std::collections::BTreeMap;

use super::{
    Engine,
    error::ApiError,
    starts::{Start, variable_values},
    state::{ActionExecution, RequestedRevision, RequestedRevisions, Revision, TriggerType},
};
use crate::types::Timestamp;

impl Engine {
    /// Starts an execution for a new revision of a source, and returns true and its id. If an execution has already
    /// used the revision, returns false and the id of that execution.
    pub(crate) fn put_action_revision(
        &mut self,
        now: Timestamp,
        pipeline: &str,
        stage: &str,
        action: &str,
        revision: Revision,
    ) -> Result<(bool, String), ApiError> {
        let declared = self.stage(pipeline, stage)?.actions.iter().find(|declared| declared.name == action);
        let Some(declared) = declared else {
            return Err(ApiError::new(
                "ActionNotFoundException",
                format!("Stage '{stage}' of pipeline '{pipeline}' has no action '{action}'"),
            ));
        };
        if !declared.is_source() {
            return Err(ApiError::validation(format!("Action '{action}' is not a source action; it has no revisions")));
        }
        if let Some(id) = self.execution_with(pipeline, action, &revision.id) {
            return Ok((false, id));
        }
        let declaration = self.pipeline(pipeline)?.latest().clone();
        let variables = variable_values(&declaration, &BTreeMap::new())?;
        self.check_limit(pipeline, &declaration)?;
        let asked = RequestedRevision { revision: Some(revision), ..RequestedRevision::default() };
        let start = Start {
            trigger: self.user_trigger(TriggerType::PutActionRevision),
            variables,
            sources: RequestedRevisions::from([(action.to_owned(), asked)]),
        };
        Ok((true, self.start(now, pipeline, &declaration, start)))
    }

    /// The newest execution that was started for this revision of the source, or has used it.
    fn execution_with(&self, pipeline: &str, source: &str, revision: &str) -> Option<String> {
        let is_it = |known: Option<&Revision>| known.is_some_and(|known| known.id == revision);
        let mut executions = self.executions_of(pipeline);
        let found = executions.find(|(number, execution)| {
            is_it(execution.sources.get(source).and_then(|asked| asked.revision.as_ref()))
                || self
                    .sources_of(*number)
                    .any(|(action, found)| action.declaration.name == source && is_it(Some(found)))
        });
        found.map(|(_, execution)| execution.id.clone())
    }

    /// The latest known revision of the action. A put revision is known before its execution enters the stage.
    pub(crate) fn current_revision<'a>(&'a self, pipeline: &'a str, stage: &str, action: &str) -> Option<&'a Revision> {
        let latest = self
            .actions_of(pipeline)
            .map(|(_, _, known)| known)
            .find(|known| known.stage == stage && known.declaration.name == action);
        let put = self.executions_of(pipeline).find_map(|(number, execution)| {
            let first = execution.declaration.stages.first()?;
            let revision = execution.sources.get(action)?.revision.as_ref()?;
            (first.name == stage).then_some((number, revision))
        });
        match put {
            Some((number, revision)) if latest.is_none_or(|latest| latest.execution < number) => Some(revision),
            _ => latest?.revision.as_ref(),
        }
    }
}

impl RequestedRevision {
    /// Applies the requested revision to the action.
    pub(super) fn apply(self, action: &mut ActionExecution) {
        if let Some(key) = self.object_key {
            action.configuration.insert("S3ObjectKey".to_owned(), key);
        }
        action.source_version = self.object_version;
        // An S3 source finds its own revision.
        if action.declaration.action_type_id.owner != "AWS" {
            action.revision = self.revision;
        }
    }
}
