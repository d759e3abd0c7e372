//! The shell around the engine. `answer` sends each request to its service: the engine (CodePipeline), S3, STS,
//! Secrets Manager, or an external endpoint. `driver` performs the engine's effects.

mod answer;
mod driver;
mod shared;

pub(crate) use shared::{EnginePermissions, Shared};
