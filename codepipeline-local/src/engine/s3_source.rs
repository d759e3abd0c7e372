//! The S3 source action, which copies its object to the location of its output artifact (User Guide,
//! "action-reference-S3").

use std::collections::BTreeMap;

use super::{
    Effect, Engine, SourceError, SourceId, SourceRevision,
    state::{ActionExecution, ActionNumber, Configuration, Revision},
};
use crate::types::{ObjectRef, Timestamp};

/// The error code of a source action whose object is missing.
pub(super) const NOT_FOUND: &str = "ConfigurationError";

/// The object that an S3 source's configuration names.
pub(super) fn object_of(configuration: &Configuration) -> ObjectRef {
    let value = |key| configuration.get(key).cloned().unwrap_or_default();
    ObjectRef { bucket: value("S3Bucket"), key: value("S3ObjectKey") }
}

impl Engine {
    pub(super) fn start_source(&mut self, number: ActionNumber) {
        let Some(action) = self.actions.get(&number) else { return };
        let Some(to) = action.outputs.first().map(|artifact| artifact.location.clone()) else { return };
        let from = object_of(&action.configuration);
        let encryption_key = self.store_key(action.execution);
        let version = action.source_version.clone();
        self.effects.push(Effect::CopySource { id: SourceId(number), from, version, to, encryption_key });
    }

    /// Takes the result of an [`Effect::CopySource`]. A late or repeated result has no effect.
    pub fn source_finished(&mut self, now: Timestamp, id: SourceId, result: Result<SourceRevision, SourceError>) {
        self.advance(now);
        let now = self.clock;
        if !self.running.contains(&id.0) {
            return;
        }
        let Some(action) = self.actions.get_mut(&id.0) else { return };
        match result {
            Ok(found) => {
                let variables = consume(action, now, found);
                self.source_consumed(id.0);
                self.succeed_action(now, id.0, variables);
            }
            Err(error) => {
                let (code, message) = failure(action, &error);
                if code == NOT_FOUND {
                    self.source_consumed(id.0);
                }
                self.fail_action(now, id.0, code, message);
            }
        }
        self.settle(now);
    }
}

/// Records the revision, and returns the action's output variables.
fn consume(action: &mut ActionExecution, now: Timestamp, found: SourceRevision) -> BTreeMap<String, String> {
    let etag = found.etag.unwrap_or_else(|| found.revision.clone());
    let summary = found.summary.or(Some(match &found.version_id {
        Some(version) => format!("Amazon S3 version id: {version}"),
        None => format!("Amazon S3 ETag: {etag}"),
    }));
    action.summary.clone_from(&summary);
    action.revision = Some(Revision { id: found.revision, change_id: etag.clone(), created: now, summary });
    let ObjectRef { bucket, key } = object_of(&action.configuration);
    // Objects in a bucket without versioning have the version id `null`.
    let version = found.version_id.unwrap_or_else(|| "null".to_owned());
    [("BucketName", bucket), ("ETag", etag), ("ObjectKey", key), ("VersionId", version)]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn failure(action: &ActionExecution, error: &SourceError) -> (&'static str, String) {
    let ObjectRef { bucket, key } = object_of(&action.configuration);
    match error {
        SourceError::NotFound(message) => {
            let version = action.source_version.as_ref().map(|version| format!(" and the version '{version}'"));
            let version = version.unwrap_or_default();
            (NOT_FOUND, format!("No object with the key '{key}'{version} in the bucket '{bucket}': {message}"))
        }
        SourceError::Other(message) => {
            ("JobFailed", format!("Copying '{key}' from the bucket '{bucket}' failed: {message}"))
        }
    }
}
