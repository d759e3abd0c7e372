//! Records, in which the engine's state is kept outside.

use serde::Serialize;

/// The kind of thing that a record describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The last number and the state of the randomness: neither numbers nor ids come again after a restart.
    Series,
    /// The third-party connections.
    Connections,
    /// A custom action type, or one that was deleted.
    ActionType,
    /// A pipeline, without its declarations.
    Pipeline,
    /// One version of a pipeline's declaration.
    Version,
    /// The execution that a client request token has started.
    Started,
    /// An execution of a pipeline.
    Execution,
    /// An execution of an action.
    Action,
    /// The permissions of a job's credentials.
    Grant,
    /// The revision of a polled source that was seen last.
    Source,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Series,
        Self::Connections,
        Self::ActionType,
        Self::Pipeline,
        Self::Version,
        Self::Started,
        Self::Execution,
        Self::Action,
        Self::Grant,
        Self::Source,
    ];

    /// The kind's name where it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Connections => "connections",
            Self::ActionType => "action-types",
            Self::Pipeline => "pipelines",
            Self::Version => "versions",
            Self::Started => "started",
            Self::Execution => "executions",
            Self::Action => "actions",
            Self::Grant => "grants",
            Self::Source => "sources",
        }
    }
}

/// One thing that is kept, or that is gone. Holds secrets: no `Debug`.
#[derive(Clone)]
pub struct Record {
    /// The kind of thing.
    pub kind: Kind,
    /// Which one, as JSON.
    pub key: String,
    /// Its state, as JSON. `None` if it is gone.
    pub value: Option<String>,
}

/// The reason why the engine can't take its state back.
#[derive(Debug, thiserror::Error)]
#[error("its record {key} in {} {why}", .kind.name())]
pub struct Unreadable {
    pub(in crate::engine) kind: Kind,
    pub(in crate::engine) key: String,
    pub(in crate::engine) why: String,
}

/// The JSON of something that is kept.
pub(in crate::engine) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept has text, numbers, and maps by text")
}
