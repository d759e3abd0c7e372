//! What surrounds the engine: CodePipeline's requests go to it, STS's one call and Secrets Manager's are answered, requests for a
//! service that is elsewhere are passed on, all others go to S3, and what it wants done in between is done.

mod answer;
mod driver;
mod shared;

pub(crate) use shared::{EnginePermissions, Shared};
