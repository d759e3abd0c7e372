//! The shell around the engine. `answer` sends each request to its service: the engine (CodePipeline), S3, STS,
//! Secrets Manager, or an external endpoint. `driver` performs the engine's effects. `runs` has the actions that providers
//! run.

mod admission;
mod answer;
mod driver;
mod runs;
mod shared;

pub(crate) use admission::Admission;
pub(crate) use runs::Runs;
pub(crate) use shared::{EnginePermissions, Shared};
