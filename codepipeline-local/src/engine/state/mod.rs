//! The engine's state: what it knows of pipelines, executions, actions and jobs. The files beside this folder change it.

use std::collections::{BTreeMap, BTreeSet};

use super::{effects::Effect, random::Random, settings::Settings};
use crate::types::{Grant, Timestamp};

mod action;
mod action_type;
mod aws_types;
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
mod tracked;
mod trigger;

pub(crate) use action::{ActionError, ActionExecution, ActionStatus, Artifact};
pub(crate) use action_type::{ActionType, ArtifactDetails, Property, TypeSettings};
pub(super) use action_type::{Registered, is_queryable_value, queryable_rule};
pub use connection::Connection;
pub(crate) use declaration::{
    ActionDeclaration, ActionTypeId, Configuration, EncryptionKey, ExecutionMode, PipelineDeclaration,
    StageDeclaration, Tag,
};
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
use tracked::Tracked;
pub(super) use trigger::Trigger;
pub(crate) use trigger::TriggerType;

/// The whole state. Executions, actions and jobs are numbered in the order in which they came to be, all in one series.
pub struct Engine {
    pub(crate) settings: Settings,
    pub(super) random: Random,
    /// The latest moment it was told of: time never goes back.
    pub(super) clock: Timestamp,
    pub(super) numbers: Numbers,
    pub(super) provided_action_types: Vec<ActionType>,
    pub(super) action_types: Tracked<ActionTypeId, Registered>,
    pub(super) connections: Vec<Connection>,
    pub(crate) pipelines: Tracked<String, Pipeline>,
    /// Every version of every pipeline, by the pipeline's name and the version.
    pub(super) versions: Tracked<(String, u32), Version>,
    /// The executions that client request tokens have started, by the pipeline's name and the token.
    pub(super) started: Tracked<(String, String), String>,
    pub(super) executions: Tracked<ExecutionNumber, Execution>,
    /// The executions that are in progress.
    pub(super) active: BTreeSet<ExecutionNumber>,
    pub(super) actions: Tracked<ActionNumber, ActionExecution>,
    /// The actions that are in progress.
    pub(super) running: BTreeSet<ActionNumber>,
    pub(super) jobs: BTreeMap<JobNumber, Job>,
    pub(super) job_numbers: BTreeMap<String, JobNumber>,
    pub(super) grants: Tracked<String, Grant>,
    /// The S3 sources that are polled, by the pipeline's name and the action's.
    pub(super) polled: Tracked<(String, String), PolledSource>,
    /// When each of them is polled.
    pub(super) watches: BTreeMap<(String, String), Watch>,
    pub(super) effects: Vec<Effect>,
    /// The kept state of things that have no entries. `None` without a database.
    pub(super) kept: Option<Kept>,
}

impl Engine {
    /// An engine without pipelines. The same seed and the same calls give the same ids.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            random: Random::new(seed),
            clock: Timestamp(0),
            numbers: Numbers::default(),
            provided_action_types: vec![
                aws_types::s3_source(),
                aws_types::manual_approval(),
                aws_types::lambda_invoke(),
            ],
            action_types: Tracked::new(),
            connections: Vec::new(),
            pipelines: Tracked::new(),
            versions: Tracked::new(),
            started: Tracked::new(),
            executions: Tracked::new(),
            active: BTreeSet::new(),
            actions: Tracked::new(),
            running: BTreeSet::new(),
            jobs: BTreeMap::new(),
            job_numbers: BTreeMap::new(),
            grants: Tracked::new(),
            polled: Tracked::new(),
            watches: BTreeMap::new(),
            effects: Vec::new(),
            kept: None,
        }
    }

    pub(super) fn number<N: From<u64>>(&mut self) -> N {
        self.numbers.next()
    }
}
