//! Mistakes in faults and throttles.

use super::call::operations;

/// A mistake in a fault's or throttle's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFault {
    /// It does not have three parts.
    #[error("{0:?} is not a fault: write OPERATION:CALLS:KIND, as in PutJobSuccessResult:1:lose-answer")]
    Fault(String),
    /// It does not have two or three parts.
    #[error("{0:?} is not a throttle: write OPERATION:RATE or OPERATION:RATE:BURST, as in PollForJobs:2")]
    Throttle(String),
    /// The emulator does not have this operation.
    #[error(
        "{0:?} is not an operation of the emulator: write * for any request, codepipeline:* or s3:* for any request to one service, or one of {all}",
        all = operations().collect::<Vec<_>>().join(", ")
    )]
    Operation(String),
    /// The calls can't be read.
    #[error(
        "{0:?} does not name calls: write a number from 1 on, as in 3, or 3+ (and all later ones), 2-4, */10 (every tenth) or * (all)"
    )]
    Calls(String),
    /// The kind is unknown.
    #[error(
        "{0:?} is not a kind of fault: write throttle, error, deny, reset, lose-answer, stall, stall-answer, delay=DURATION, \
         delay-answer=DURATION or cut=BYTES"
    )]
    Kind(String),
    /// The duration is invalid.
    #[error("{kind}={what}")]
    Duration {
        /// The kind of fault.
        kind: &'static str,
        /// The mistake.
        what: String,
    },
    /// The number of bytes is invalid.
    #[error("cut={0}: write the number of bytes to let through, as in cut=1000")]
    Bytes(String),
    /// The operation has no transfer to cut.
    #[error("{0} has no transfer to cut: use GetObject, PutObject or UploadPart")]
    NoTransfer(String),
    /// The rate is invalid.
    #[error("{0:?} is not a rate: write calls per second, a number above 0 such as 2 or 0.5")]
    Rate(String),
    /// The burst is invalid.
    #[error("{0:?} is not a burst: write a whole number from 1 on")]
    Burst(String),
}
