//! Revisions that an execution is started with: source revision overrides (User Guide,
//! "pipelines-trigger-source-overrides"), and the one of a `PutActionRevision`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Engine,
    actions::{ActionExecution, Revision},
    declaration::{ActionDeclaration, PipelineDeclaration},
    error::ApiError,
    starts::{Start, TriggerType, variable_values},
};
use crate::types::Timestamp;

/// The configuration key without which an S3 source's key can not be overridden (User Guide, "action-reference-S3").
const ALLOW_KEY: &str = "AllowOverrideForS3ObjectKey";

/// One entry of `sourceRevisions`.
pub(crate) struct RevisionOverride {
    pub(crate) action: String,
    pub(crate) kind: RevisionType,
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RevisionType {
    #[serde(rename = "COMMIT_ID")]
    CommitId,
    #[serde(rename = "IMAGE_DIGEST")]
    ImageDigest,
    #[serde(rename = "S3_OBJECT_VERSION_ID")]
    ObjectVersion,
    #[serde(rename = "S3_OBJECT_KEY")]
    ObjectKey,
}

impl RevisionType {
    fn name(self) -> &'static str {
        match self {
            Self::CommitId => "COMMIT_ID",
            Self::ImageDigest => "IMAGE_DIGEST",
            Self::ObjectVersion => "S3_OBJECT_VERSION_ID",
            Self::ObjectKey => "S3_OBJECT_KEY",
        }
    }
}

/// The revision that one source action of an execution reads, in place of the latest one.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Asked {
    /// Another key in the S3 source's bucket.
    pub(super) object_key: Option<String>,
    /// A version of the S3 source's object.
    pub(super) object_version: Option<String>,
    /// The revision of a `PutActionRevision`.
    pub(crate) revision: Option<Revision>,
}

/// By the names of the source actions.
pub(crate) type AskedSources = BTreeMap<String, Asked>;

/// Checks the overrides against the pipeline's source actions.
pub(super) fn asked_sources(
    pipeline: &PipelineDeclaration,
    overrides: Vec<RevisionOverride>,
) -> Result<AskedSources, ApiError> {
    let mut asked = AskedSources::new();
    for RevisionOverride { action: name, kind, value } in overrides {
        let source =
            pipeline.actions().map(|(_, action)| action).find(|action| is_source(action) && action.name == name);
        let Some(source) = source else {
            let pipeline = &pipeline.name;
            return Err(ApiError::validation(format!(
                "Pipeline '{pipeline}' has no source action '{name}' to override"
            )));
        };
        check_type(source, kind)?;
        let source = asked.entry(name.clone()).or_default();
        let place = if kind == RevisionType::ObjectKey { &mut source.object_key } else { &mut source.object_version };
        if place.replace(value).is_some() {
            return Err(ApiError::validation(format!(
                "The source revision of action '{name}' is overridden twice with the type {}",
                kind.name()
            )));
        }
    }
    Ok(asked)
}

/// The type must be the provider's. No override reaches the worker of a custom source: its job has no member for it.
fn check_type(source: &ActionDeclaration, kind: RevisionType) -> Result<(), ApiError> {
    let (name, id) = (&source.name, &source.action_type_id);
    let of_s3 = matches!(kind, RevisionType::ObjectVersion | RevisionType::ObjectKey);
    if !of_s3 || id.owner != "AWS" {
        return Err(ApiError::validation(format!(
            "The source revision type {} is not valid for action '{name}' of the provider '{}'",
            kind.name(),
            id.provider
        )));
    }
    let allowed = source.configuration.get(ALLOW_KEY).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if kind == RevisionType::ObjectKey && !allowed {
        return Err(ApiError::validation(format!(
            "The object key of action '{name}' can not be overridden; its configuration must have {ALLOW_KEY} set to true"
        )));
    }
    Ok(())
}

/// Whether the action is a source action.
pub(super) fn is_source(action: &ActionDeclaration) -> bool {
    action.action_type_id.category == "Source"
}

impl Engine {
    /// Starts an execution for a new revision of a source, and gives its id. For a revision that an execution has used
    /// already, it gives the id of that one and false.
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
        if !is_source(declared) {
            return Err(ApiError::validation(format!("Action '{action}' is not a source action; it has no revisions")));
        }
        if let Some(id) = self.execution_with(pipeline, action, &revision.id) {
            return Ok((false, id));
        }
        let declaration = self.pipeline(pipeline)?.latest().clone();
        let variables = variable_values(&declaration, &BTreeMap::new())?;
        self.check_limit(pipeline, &declaration)?;
        let asked = Asked { revision: Some(revision), ..Asked::default() };
        let start = Start {
            trigger: self.user_trigger(TriggerType::PutActionRevision),
            variables,
            sources: AskedSources::from([(action.to_owned(), asked)]),
        };
        Ok((true, self.start(now, pipeline, &declaration, start)))
    }

    /// The newest execution that was started for this revision of the source, or that has used it.
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

    /// The latest known revision of the action. One that was put is known before its execution enters the stage.
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

impl Asked {
    /// Has the action read what was asked for.
    pub(super) fn apply(self, action: &mut ActionExecution) {
        if let Some(key) = self.object_key {
            action.configuration.insert("S3ObjectKey".to_owned(), key);
        }
        action.source_version = self.object_version;
        // An S3 source finds out on its own which revision it reads.
        if action.declaration.action_type_id.owner != "AWS" {
            action.revision = self.revision;
        }
    }
}
