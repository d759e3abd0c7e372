//! Providers run AWS's own actions on this machine, as effects outside the engine.
//!
//! [`Provider`] is the interface of all. [`Providers`] says which provider runs which action type. A provider works in a
//! [`Workplace`]: a folder, the artifacts, the output and the secrets.

use async_trait::async_trait;

pub(crate) mod archive;
mod build_folder;
#[cfg(test)]
mod build_testing;
mod build_variables;
mod buildspec;
mod code_build;
mod commands;
mod deploy_s3;
mod needs;
mod notice;
mod output;
mod registry;
mod removal;
mod secrets;
pub(crate) mod shell;
mod signing;
mod skip;
pub(crate) mod source;
mod stand_in;
mod step_functions;
#[cfg(test)]
pub(crate) mod testing;
mod workplace;

pub use crate::engine::{
    ActionTypeId, Done, EnvironmentVariable, EnvironmentVariableKind, Failed, Maker, Task, TaskArtifact, TaskRevision,
};
pub use crate::types::ObjectRef;
pub(crate) use code_build::{Checked as CheckedBuild, Declared as DeclaredBuild};
pub use code_build::{CodeBuild, Project};
pub use commands::Commands;
pub use deploy_s3::DeployS3;
pub use notice::Notice;
pub use output::{Output, OutputLine};
pub use registry::Providers;
pub use secrets::Secrets;
pub use source::Source;
pub use stand_in::StandIn;
pub use step_functions::StepFunctions;
pub use workplace::{StoredAs, Workplace};

/// Runs the actions of one type.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Runs an action to its end. A future that is dropped stops all that it started. Summaries and messages of failures may hold
    /// secrets: the registry masks them.
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed>;
}
