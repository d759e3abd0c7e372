//! Forms in which parts of the state are kept.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{declaration::PipelineDeclaration, numbers::Numbers};
use crate::engine::random::Random;

/// The last number, and the state of the randomness.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::engine) struct Series {
    pub(in crate::engine) next_number: Numbers,
    pub(in crate::engine) random: Random,
}

/// The kept state of things that have no entries.
pub(in crate::engine) struct Kept {
    pub(in crate::engine) series: Series,
    pub(in crate::engine) connections_changed: bool,
}

/// A version of a pipeline's declaration, which executions and the pipeline share.
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

/// A declaration that is kept as its version alone. `Engine::restore` puts the declaration back.
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
