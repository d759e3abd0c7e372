//! Saved forms of parts of the state.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{declaration::PipelineDeclaration, numbers::Numbers};
use crate::engine::random::Random;

/// The last number, and the state of the random generator.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::engine) struct Series {
    pub(in crate::engine) next_number: Numbers,
    pub(in crate::engine) random: Random,
}

/// The saved state without entries of its own.
pub(in crate::engine) struct Kept {
    pub(in crate::engine) series: Series,
    pub(in crate::engine) connections_changed: bool,
}

/// A version of a pipeline's declaration, shared by executions and the pipeline.
pub(in crate::engine) struct Version(pub(in crate::engine) Arc<PipelineDeclaration>);

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::new(PipelineDeclaration::deserialize(deserializer)?)))
    }
}

/// Serializes a declaration as its version. [`Engine::restore`](super::Engine::restore) links the declaration again.
pub(in crate::engine) mod version {
    use super::{Arc, Deserialize, Deserializer, PipelineDeclaration, Serializer};

    pub(in crate::engine) fn serialize<S: Serializer>(
        declaration: &Arc<PipelineDeclaration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(declaration.version)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<PipelineDeclaration>, D::Error> {
        let version = u32::deserialize(deserializer)?;
        Ok(Arc::new(PipelineDeclaration { version, ..PipelineDeclaration::default() }))
    }
}
