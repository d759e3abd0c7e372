//! Polled S3 sources.

use serde::{Deserialize, Serialize};

use crate::engine::effects::PollId;
use crate::types::{ObjectRef, Timestamp};

/// A polled source. It is saved, so the first poll after a restart finds a change that happened in between.
#[derive(Deserialize, Serialize)]
pub(in crate::engine) struct PolledSource {
    pub(in crate::engine) object: ObjectRef,
    pub(in crate::engine) known: Known,
}

/// The schedule of a poll.
pub(in crate::engine) struct Watch {
    /// The time of the next poll.
    pub(in crate::engine) next: Timestamp,
    /// The poll in progress.
    pub(in crate::engine) pending: Option<PollId>,
}

/// The last known revision of the object.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::engine) enum Known {
    Nothing,
    /// The object was missing.
    Missing,
    /// The revision that an execution consumed, or the last poll found.
    Revision(String),
}

impl Watch {
    /// The time of the next poll. `None` while a poll is in progress.
    pub(in crate::engine) fn due(&self) -> Option<Timestamp> {
        self.pending.is_none().then_some(self.next)
    }
}
