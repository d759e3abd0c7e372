//! CodePipeline itself: action types, pipelines, their executions and jobs. Pure: it does no I/O, is told the time, and
//! makes its ids from a seed. What has to happen outside it leaves as [`Effect`]s for its shell.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::{Grant, ObjectRef, Timestamp};
use tracked::Tracked;

pub(crate) mod action_types;
pub(crate) mod actions;
pub(crate) mod approvals;
mod artifacts;
pub(crate) mod credentials;
pub(crate) mod declaration;
pub(crate) mod error;
mod events;
pub(crate) mod executions;
mod invocations;
pub(crate) mod jobs;
mod kept;
pub(crate) mod pipelines;
mod polling;
mod progress;
mod random;
pub(crate) mod results;
pub(crate) mod retries;
mod s3_source;
mod settings;
pub(crate) mod sources;
mod starts;
mod stops;
mod structure;
mod summaries;
mod tags;
pub(crate) mod third_party;
mod tracked;
pub(crate) mod transitions;
pub(crate) mod urls;
mod variables;

pub(crate) use artifacts::Artifact;
pub use kept::{Kind, Record, Unreadable};
pub use settings::{Leniency, NonceForm, Settings};
pub use third_party::Connection;

/// The whole state. Executions, actions and jobs are numbered in the order in which they came to be, all in one series.
pub struct Engine {
    pub(crate) settings: Settings,
    random: random::Random,
    /// The latest moment it was told of: time never goes back.
    clock: Timestamp,
    next_number: u64,
    own_action_types: Vec<action_types::ActionType>,
    action_types: Tracked<declaration::ActionTypeId, action_types::Registered>,
    connections: Vec<Connection>,
    pub(crate) pipelines: Tracked<String, pipelines::Pipeline>,
    /// Every version of every pipeline, by the pipeline's name and the version.
    versions: Tracked<(String, u32), kept::Version>,
    /// The executions that client request tokens have started, by the pipeline's name and the token.
    started: Tracked<(String, String), String>,
    executions: Tracked<u64, executions::Execution>,
    /// The executions that are in progress.
    active: BTreeSet<u64>,
    actions: Tracked<u64, actions::ActionExecution>,
    /// The actions that are in progress.
    running: BTreeSet<u64>,
    jobs: BTreeMap<u64, jobs::Job>,
    job_numbers: BTreeMap<String, u64>,
    grants: Tracked<String, Grant>,
    /// The S3 sources that are polled, by the pipeline's name and the action's.
    polled: Tracked<(String, String), polling::Source>,
    /// When each of them is polled.
    watches: BTreeMap<(String, String), polling::Watch>,
    effects: Vec<Effect>,
    /// The kept state of things that have no entries. `None` without a database.
    kept: Option<kept::Kept>,
}

/// What the shell must do outside. More kinds will come, so match with a last arm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Make the bucket if it does not exist.
    CreateBucket {
        /// The bucket's name.
        bucket: String,
    },
    /// Copy an S3 source's object to its artifact's place, and tell [`Engine::source_finished`].
    CopySource {
        /// What to answer with.
        id: SourceId,
        /// The user's object.
        from: ObjectRef,
        /// The version to copy; the current one if `None`.
        version: Option<String>,
        /// The artifact's place.
        to: ObjectRef,
        /// The id of the artifact store's KMS key, which the copy is encrypted with.
        encryption_key: Option<String>,
    },
    /// See which revision of an S3 source's object is there, and tell [`Engine::source_looked`].
    LookAtSource {
        /// What to answer with.
        id: LookId,
        /// The user's object.
        object: ObjectRef,
    },
    /// Invoke the function with [`job_event`](crate::api::job_event), without waiting for its answer.
    InvokeFunction {
        /// What the action's configuration names.
        function: String,
        /// The job's id.
        job: String,
    },
    /// Tell this to whoever listens, as EventBridge does.
    Event(serde_json::Value),
    /// See which of the objects are there, and tell [`Engine::outputs_checked`].
    CheckOutputs {
        /// What to answer with.
        id: OutputsId,
        /// Where the action's output artifacts must be.
        places: Vec<ObjectRef>,
    },
}

/// Which outputs were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputsId(u64);

/// Which copy was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u64);

/// Which look at a source was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookId(u64);

/// What an S3 source found.
#[derive(Clone, Debug, Default)]
pub struct SourceRevision {
    /// The object's version id, or its ETag where the bucket has no versions.
    pub revision: String,
    /// The object's ETag, for the output variable of this name; the revision if `None`.
    pub etag: Option<String>,
    /// The object's version id, for the output variable of this name.
    pub version_id: Option<String>,
    /// What the object's metadata say of this revision (`codepipeline-artifact-revision-summary`).
    pub summary: Option<String>,
}

/// Why an S3 source gave nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such bucket or object.
    #[error("not found: {0}")]
    NotFound(String),
    /// Something else, in words.
    #[error("{0}")]
    Other(String),
}

impl Engine {
    /// An engine without pipelines. The same seed and the same calls give the same ids.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            random: random::Random::new(seed),
            clock: Timestamp(0),
            next_number: 0,
            own_action_types: vec![
                action_types::s3_source(),
                action_types::manual_approval(),
                invocations::lambda_invoke(),
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

    /// Makes everything happen that is due by `now`, each thing at its own moment: offers taken back, continuations
    /// made ready, actions timed out, finished jobs forgotten, sources looked at, and what follows from it.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.clock = self.clock.max(due);
            let jobs: Vec<u64> = self
                .jobs
                .iter()
                .filter(|(_, job)| self.job_due(job).is_some_and(|at| at <= due))
                .map(|(number, _)| *number)
                .collect();
            for number in jobs {
                self.job_is_due(number);
            }
            let late: Vec<u64> = self
                .running
                .iter()
                .copied()
                .filter(|number| self.actions.get(number).is_some_and(|action| action.deadline <= due))
                .collect();
            for number in late {
                self.time_out_action(self.clock, number);
            }
            self.look_at_sources(due);
            self.settle(self.clock);
        }
        self.clock = self.clock.max(now);
    }

    /// The next moment at which something happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        let jobs = self.jobs.values().filter_map(|job| self.job_due(job));
        let actions = self.running.iter().filter_map(|number| self.actions.get(number)).map(|action| action.deadline);
        jobs.chain(actions).chain(self.next_look()).min()
    }

    /// What is to be done outside, in this order. Each is given once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether anything is to be done outside.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// What the temporary credentials with this id allow, expired ones included. `None` for an id that the engine never
    /// made.
    pub fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.grants.get(access_key_id).cloned()
    }

    /// Whether the bucket is the artifact store of a pipeline, or was that of an earlier version of it.
    pub fn is_artifact_store(&self, bucket: &str) -> bool {
        self.pipelines.values().any(|pipeline| pipeline.has_stored_in(bucket))
    }

    /// The latest moment that it was told of.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}
