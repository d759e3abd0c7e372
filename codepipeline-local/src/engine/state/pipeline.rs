//! Pipelines.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::declaration::{PipelineDeclaration, Tag};
use crate::types::Timestamp;

#[derive(Deserialize, Serialize)]
pub(crate) struct Pipeline {
    /// All versions, oldest first; never empty. Each is a record of its own, in [`Engine::versions`](super::Engine).
    #[serde(skip)]
    pub(in crate::engine) versions: Vec<Arc<PipelineDeclaration>>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The stages whose inbound transition is disabled.
    pub(crate) disabled: BTreeMap<String, DisabledTransition>,
    pub(in crate::engine) tags: Vec<Tag>,
}

impl Pipeline {
    pub(crate) fn latest(&self) -> &Arc<PipelineDeclaration> {
        self.versions.last().expect("a pipeline begins with one version, and none is ever removed")
    }

    pub(crate) fn version(&self, version: u32) -> Option<&Arc<PipelineDeclaration>> {
        self.versions.iter().find(|declaration| declaration.version == version)
    }

    /// Whether any version has this artifact store. Executions of older versions may still run.
    pub(in crate::engine) fn has_artifact_store(&self, bucket: &str) -> bool {
        self.versions.iter().any(|declaration| declaration.stores().any(|store| store.location == bucket))
    }
}

/// A disabled transition.
#[derive(Deserialize, Serialize)]
pub(crate) struct DisabledTransition {
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}
