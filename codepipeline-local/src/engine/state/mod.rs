//! The engine's state: pipelines, executions, actions and jobs. The operations in `engine/` change it; this folder
//! calls none of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{effects::Effect, random::Random, settings::Settings};
use crate::types::{Grant, Timestamp};

mod action;
mod action_type;
pub(super) mod aws_types;
mod connection;
mod declaration;
mod execution;
mod job;
mod kept;
mod numbers;
mod pipeline;
mod polled;
mod record;
mod revision;
mod timeline;
mod tracked;
mod trigger;

pub(crate) use action::{ActionError, ActionExecution, ActionStatus, Artifact};
pub(crate) use action_type::{ActionType, ArtifactDetails, Property, TypeSettings, sounds_secret};
pub(super) use action_type::{Registered, is_queryable_value, is_secret, queryable_rule};
pub use connection::Connection;
pub(crate) use declaration::{
    ActionDeclaration, Configuration, EncryptionKey, ExecutionMode, PipelineDeclaration, StageDeclaration, Tag,
};
pub use declaration::{ActionTypeId, EnvironmentVariable, EnvironmentVariableKind};
pub(crate) use execution::{Execution, ExecutionStatus, StageStatus};
pub(super) use execution::{Group, Place};
pub(crate) use job::{Job, JobState};
pub(super) use kept::{Kept, Series, Version};
use numbers::Numbers;
pub(crate) use numbers::{ActionNumber, ExecutionNumber, JobNumber};
pub(super) use pipeline::DisabledTransition;
pub(crate) use pipeline::Pipeline;
pub(super) use polled::{Known, PolledSource, Watch};
pub(super) use record::to_json;
pub use record::{Kind, Record, Unreadable};
pub(crate) use revision::Revision;
pub(super) use revision::{RequestedRevision, RequestedRevisions};
pub(crate) use timeline::{Step, StepKind, Timeline};
use tracked::Tracked;
pub(super) use trigger::Trigger;
pub(crate) use trigger::TriggerType;

/// The whole state. Executions, actions and jobs are numbered in order of creation, in one series.
pub struct Engine {
    pub(crate) settings: Settings,
    pub(super) random: Random,
    /// The latest time that the engine was given. It never moves back.
    pub(super) clock: Timestamp,
    pub(super) numbers: Numbers,
    pub(super) provided_action_types: Vec<ActionType>,
    pub(super) action_types: Tracked<ActionTypeId, Registered>,
    pub(super) connections: Vec<Connection>,
    pub(crate) pipelines: Tracked<String, Pipeline>,
    /// Every version of every pipeline, by pipeline name and version.
    pub(super) versions: Tracked<(String, u32), Version>,
    /// The executions that client request tokens started, by pipeline name and token.
    pub(super) started: Tracked<(String, String), String>,
    pub(super) executions: Tracked<ExecutionNumber, Execution>,
    /// The executions in progress.
    pub(super) active: BTreeSet<ExecutionNumber>,
    pub(super) actions: Tracked<ActionNumber, ActionExecution>,
    /// The actions in progress.
    pub(super) running: BTreeSet<ActionNumber>,
    /// Those of them that a provider runs.
    pub(super) runs: BTreeSet<ActionNumber>,
    pub(super) jobs: BTreeMap<JobNumber, Job>,
    pub(super) job_numbers: BTreeMap<String, JobNumber>,
    pub(super) grants: Tracked<String, Grant>,
    /// The polled S3 sources, by pipeline name and action name.
    pub(super) polled: Tracked<(String, String), PolledSource>,
    /// The schedules of these polls.
    pub(super) watches: BTreeMap<(String, String), Watch>,
    pub(super) effects: Vec<Effect>,
    /// Whether nothing may start any more, because the emulator ends.
    pub(super) halted: bool,
    /// The saved state without entries of its own. `None` without a database.
    pub(super) kept: Option<Kept>,
}

impl Engine {
    /// Creates an engine without pipelines. The same seed and calls give the same ids.
    pub fn new(settings: Settings, seed: u64) -> Self {
        let provided_action_types = aws_types::provided(&settings.provided);
        Self {
            settings,
            random: Random::new(seed),
            clock: Timestamp(0),
            numbers: Numbers::default(),
            provided_action_types,
            action_types: Tracked::new(),
            connections: Vec::new(),
            pipelines: Tracked::new(),
            versions: Tracked::new(),
            started: Tracked::new(),
            executions: Tracked::new(),
            active: BTreeSet::new(),
            actions: Tracked::new(),
            running: BTreeSet::new(),
            runs: BTreeSet::new(),
            jobs: BTreeMap::new(),
            job_numbers: BTreeMap::new(),
            grants: Tracked::new(),
            polled: Tracked::new(),
            watches: BTreeMap::new(),
            effects: Vec::new(),
            halted: false,
            kept: None,
        }
    }

    /// Draws all ids, nonces and credentials from a secret, so that none of them shows another one.
    #[must_use]
    pub fn with_secret(self, secret: [u8; 32]) -> Self {
        Self { random: Random::secret(secret), ..self }
    }

    pub(super) fn number<N: From<u64>>(&mut self) -> N {
        self.numbers.next()
    }
}
