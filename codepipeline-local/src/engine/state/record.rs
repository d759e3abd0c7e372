//! Records: the saved form of the state.

use serde::Serialize;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The last number and the state of the random generator. So numbers and ids never repeat after a restart.
    Series,
    /// The third-party connections.
    Connections,
    /// A custom action type, which may be deleted.
    ActionType,
    /// A pipeline, without its declarations.
    Pipeline,
    /// One version of a pipeline's declaration.
    Version,
    /// The execution that a client request token started.
    Started,
    /// An execution of a pipeline.
    Execution,
    /// An execution of an action.
    Action,
    /// The permissions of a job's credentials.
    Grant,
    /// The last known revision of a polled source.
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

    /// The name of the kind in the store.
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

/// The new state of one thing, or its removal. Holds secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Record {
    /// The kind of thing.
    pub kind: Kind,
    /// The key, as JSON.
    pub key: String,
    /// The state, as JSON. `None` if it was removed.
    pub value: Option<String>,
}

/// A record that the engine can't restore.
#[derive(Debug, thiserror::Error)]
#[error("its record {key} in {} {why}", .kind.name())]
pub struct Unreadable {
    pub(in crate::engine) kind: Kind,
    pub(in crate::engine) key: String,
    pub(in crate::engine) why: String,
}

/// Serializes a part of the state.
pub(in crate::engine) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the state has only text, numbers, and maps with text keys")
}
