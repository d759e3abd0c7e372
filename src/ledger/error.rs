//! What can go wrong between the worker and the ledger's bucket.

/// Why the ledger could not be asked. Safe to log: the bucket's name, S3's error code and HTTP status, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not now: no answer, a throttle, or S3's own failure. A write may have taken effect.
    #[error("could not {doing} in the ledger's bucket `{bucket}` ({reason}); S3 may be down or out of reach")]
    Unavailable {
        /// The request, as a verb: `read an entry`.
        doing: &'static str,
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status, or how the connection failed.
        reason: String,
    },
    /// The function's role may not.
    #[error(
        "the function's role may not {doing} in the ledger's bucket `{bucket}` ({reason}): grant it {permission}, and see that \
         no policy of the bucket denies it"
    )]
    Denied {
        /// The request, as a verb.
        doing: &'static str,
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
        /// What the role needs.
        permission: &'static str,
    },
    /// There is no such bucket.
    #[error("the ledger's bucket `{bucket}` does not exist ({reason}): make it, or correct LEDGER_BUCKET")]
    NoBucket {
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
    },
    /// The bucket is elsewhere.
    #[error(
        "the ledger's bucket `{bucket}` is in another region than the function ({reason}): use one in the function's region"
    )]
    OtherRegion {
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
    },
    /// S3 finds the request wrong.
    #[error("S3 refuses to {doing} in the ledger's bucket `{bucket}` ({reason})")]
    Refused {
        /// The request, as a verb.
        doing: &'static str,
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
    },
    /// The outcome is so large that no worker would read the entry.
    #[error("an entry has at most {limit} bytes, and this one would have {size}: the action's outcome is too large")]
    TooLarge {
        /// What it would have.
        size: usize,
        /// What it may have.
        limit: usize,
    },
}

impl LedgerError {
    /// Whether the same request may well succeed a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
