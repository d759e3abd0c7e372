//! The shell around the engine. The module `answer` sends each request to its service: the engine (CodePipeline), S3, STS, Secrets
//! Manager, or an external endpoint. The `driver` performs the engine's effects. The module `runs` has the actions that providers run.
//! Each line of workers and functions goes to `program_logs`. The module `awaited_jobs` finds the jobs that wait for a function's result.

mod admission;
mod answer;
mod awaited_jobs;
mod driver;
mod program_logs;
mod runs;
mod shared;

pub(crate) use admission::Admission;
pub(crate) use awaited_jobs::{AwaitedJob, AwaitedJobs};
pub(crate) use program_logs::ProgramLogs;
pub(crate) use runs::Runs;
pub(crate) use shared::{EnginePermissions, Shared};
