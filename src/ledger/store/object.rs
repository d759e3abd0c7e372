//! Objects of the ledger, their versions, and the results of writes.

use std::time::Duration;

use super::super::entry::Content;
use super::super::error::LedgerError;
use super::super::key::Key;

/// How long the mark of a finished, polled job is kept. A worker with an old offer of the job must find it.
const DONE_POLLED: Duration = Duration::from_secs(60 * 60);
/// Lambda retries an asynchronous event for up to 6 hours (Lambda developer guide, "Asynchronous invocation").
const DONE_INVOKED: Duration = Duration::from_secs(7 * 60 * 60);

/// One state of an object: its ETag. The default belongs to no object; a worker without a ledger uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// The result of a write or a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// It took effect, and this is the object's version now. After a delete it is the deleted version.
    Written(Version),
    /// The condition does not hold: another object is there, none is, or one is. An earlier try of the same write may
    /// be the reason.
    Refused,
    /// It failed. If the error [may pass](LedgerError::may_pass), the write may have taken effect.
    Failed(LedgerError),
}

/// An object of the ledger.
pub struct Found {
    /// Its content.
    pub content: Content,
    /// Its version.
    pub version: Version,
    /// The least time since it was written, by S3's clock. S3 gives whole seconds, rounded down.
    pub age: Duration,
}

impl Found {
    /// Whether the lease has ended, which means that its owner's invocation has ended too. Finished jobs and unreadable
    /// objects have no lease.
    pub fn lease_is_over(&self) -> bool {
        matches!(&self.content, Content::Entry(entry, _) if self.age >= entry.lease)
    }
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: Key,
    /// Its version.
    pub version: Version,
    /// Its size in bytes. 0 means that the job has finished.
    pub size: u64,
    /// As [`Found::age`].
    pub age: Duration,
}

impl Listed {
    /// Whether it is the mark of a finished job.
    pub fn is_done(&self) -> bool {
        self.size == 0
    }

    /// Whether it is a mark that no worker needs any more: after an hour, or after 7 hours for a Lambda Invoke job.
    pub fn can_be_swept(&self) -> bool {
        let kept = if self.key.is_invoked() { DONE_INVOKED } else { DONE_POLLED };
        self.is_done() && self.age >= kept
    }
}
