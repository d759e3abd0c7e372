//! The CodePipeline engine: action types, pipelines, executions and jobs. It is pure: it does no I/O, the caller
//! passes the time, and its ids come from a seed. Work outside the engine leaves it as [`Effect`]s.
//!
//! `state` holds the data, and calls none of the operations. Each of the other files holds one group of operations
//! on it.

pub use effects::{Effect, OutputsId, PollId, RunId, SourceError, SourceId, SourceRevision};
pub(crate) use masking::SecretValues;
pub use provided::Provided;
pub use settings::{Leniency, NonceForm, Settings};
#[cfg(test)]
pub(crate) use state::StepKind;
pub(crate) use state::{
    ActionDeclaration, ActionExecution, ActionStatus, ActionType, Artifact, ArtifactDetails, Execution,
    ExecutionNumber, JobNumber, PipelineDeclaration, Property, Revision, StageDeclaration, StageStatus, Step, Tag,
    TypeSettings, sounds_secret,
};
pub use state::{
    ActionTypeId, Connection, Engine, EnvironmentVariable, EnvironmentVariableKind, Kind, Record, Unreadable,
};
pub use task::{Done, Failed, Maker, Task, TaskArtifact, TaskRevision};
pub(crate) use variables::references as variable_references;
pub(crate) use waits::Wait;

mod action_types;
mod actions;
pub(crate) mod approvals;
mod artifacts;
pub(crate) mod credentials;
mod effects;
pub(crate) mod error;
mod events;
mod executions;
mod halt;
mod invocations;
mod jobs;
mod listing;
mod masking;
mod offers;
pub(crate) mod overrides;
pub(crate) mod pipelines;
mod polling;
mod progress;
mod provided;
mod random;
mod records;
pub(crate) mod results;
pub(crate) mod retries;
mod revisions;
mod runs;
mod s3_source;
mod settings;
mod starts;
mod state;
mod steps;
mod stops;
mod structure;
mod summaries;
mod tags;
mod task;
pub(crate) mod third_party;
mod time;
pub(crate) mod transitions;
pub(crate) mod urls;
mod variables;
mod waits;
