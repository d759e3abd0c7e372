//! Errors between the worker and the ledger's bucket.

/// Why a request to the ledger failed. Safe to log: it holds the bucket's name, S3's error code and HTTP status, and
/// what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// No response, a throttle, or a failure of S3. A write may have taken effect.
    #[error("could not {doing} in the ledger's bucket `{bucket}` ({reason}); S3 may be down or out of reach")]
    Unavailable {
        /// The request, as a verb: `read an entry`.
        doing: &'static str,
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status, or how the connection failed.
        reason: String,
    },
    /// The function's role lacks a permission.
    #[error(
        "the function's role may not {doing} in the ledger's bucket `{bucket}` ({reason}): grant it {permission}, and check that \
         no policy of the bucket denies it"
    )]
    Denied {
        /// The request, as a verb.
        doing: &'static str,
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
        /// The permission that the role needs.
        permission: &'static str,
    },
    /// The bucket does not exist.
    #[error("the ledger's bucket `{bucket}` does not exist ({reason}): create it, or correct LEDGER_BUCKET")]
    NoBucket {
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
    },
    /// The bucket is in another region.
    #[error(
        "the ledger's bucket `{bucket}` is in another region than the function ({reason}): use a bucket in the function's region"
    )]
    OtherRegion {
        /// The bucket's name.
        bucket: String,
        /// S3's error code and HTTP status.
        reason: String,
    },
    /// S3 refused the request as wrong.
    #[error("S3 refused to {doing} in the ledger's bucket `{bucket}` ({reason})")]
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
        /// The size of the entry.
        size: usize,
        /// The largest size of an entry.
        limit: usize,
    },
}

impl LedgerError {
    /// Whether the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
