//! CodePipeline itself: action types, pipelines, their executions and jobs. Pure: it does no I/O, is told the time, and
//! makes its ids from a seed. What has to happen outside it leaves as [`Effect`]s for its shell.

pub use effects::{Effect, OutputsId, PollId, SourceError, SourceId, SourceRevision};
pub use settings::{Leniency, NonceForm, Settings};
pub(crate) use state::{
    ActionDeclaration, ActionExecution, ActionStatus, ActionType, ActionTypeId, Artifact, ArtifactDetails, Execution,
    ExecutionNumber, JobNumber, PipelineDeclaration, Property, Revision, StageDeclaration, StageStatus, Tag,
    TypeSettings,
};
pub use state::{Connection, Engine, Kind, Record, Unreadable};

mod action_types;
mod actions;
pub(crate) mod approvals;
mod artifacts;
pub(crate) mod credentials;
mod effects;
pub(crate) mod error;
mod events;
mod executions;
mod invocations;
mod jobs;
pub(crate) mod overrides;
pub(crate) mod pipelines;
mod polling;
mod progress;
mod random;
mod records;
pub(crate) mod results;
pub(crate) mod retries;
mod revisions;
mod s3_source;
mod settings;
mod starts;
mod state;
mod stops;
mod structure;
mod summaries;
mod tags;
pub(crate) mod third_party;
mod time;
pub(crate) mod transitions;
pub(crate) mod urls;
mod variables;
