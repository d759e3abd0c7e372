//! The shell around the engine. `answer` sends each request to its service: the engine (CodePipeline), S3, STS,
//! Secrets Manager, or an external endpoint. `driver` performs the engine's effects. `runs` has the actions that providers
//! run. `program_logs` takes the output of workers and functions.

mod admission;
mod answer;
mod driver;
mod program_logs;
mod runs;
mod shared;

pub(crate) use admission::Admission;
pub(crate) use program_logs::ProgramLogs;
pub(crate) use runs::Runs;
pub(crate) use shared::{EnginePermissions, Shared};
