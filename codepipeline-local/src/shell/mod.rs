//! The shell around the engine. `answer` sends each request to the service that answers it: CodePipeline (the
//! engine), S3, STS, Secrets Manager, or an external endpoint. `driver` performs the engine's effects.

mod answer;
mod driver;
mod shared;

pub(crate) use shared::{EnginePermissions, Shared};
