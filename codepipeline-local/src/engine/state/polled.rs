//! S3 sources that are polled.

use serde::{Deserialize, Serialize};

use crate::engine::effects::PollId;
use crate::types::{ObjectRef, Timestamp};

/// The engine's knowledge of a source that is polled. It outlives a restart, so the next look finds a change in between.
#[derive(Deserialize, Serialize)]
pub(in crate::engine) struct PolledSource {
    pub(in crate::engine) object: ObjectRef,
    pub(in crate::engine) known: Known,
}

/// When a source is polled.
pub(in crate::engine) struct Watch {
    /// When the shell looks at the object next.
    pub(in crate::engine) next: Timestamp,
    /// The look whose answer is awaited.
    pub(in crate::engine) pending: Option<PollId>,
}

/// The engine's knowledge of the source's object.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::engine) enum Known {
    Nothing,
    /// There was no object.
    Missing,
    /// The revision that an execution consumed, or that the last look found.
    Revision(String),
}

impl Watch {
    /// The moment of the next look. `None` while the answer to one is awaited.
    pub(in crate::engine) fn due(&self) -> Option<Timestamp> {
        self.pending.is_none().then_some(self.next)
    }
}
