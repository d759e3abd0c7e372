//! Mistakes in faults and throttles.

use super::call::operations;

/// What is wrong with a fault's or throttle's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFault {
    /// It has not three parts.
    #[error("{0:?} is no fault: write OPERATION:CALLS:KIND, as in PutJobSuccessResult:1:lose-answer")]
    Fault(String),
    /// It has not two or three parts.
    #[error("{0:?} is no throttle: write OPERATION:RATE or OPERATION:RATE:BURST, as in PollForJobs:2")]
    Throttle(String),
    /// The emulator has no such operation.
    #[error(
        "{0:?} is no operation that the emulator has: write * for any request, codepipeline:* or s3:* for any of one service, or one of {all}",
        all = operations().collect::<Vec<_>>().join(", ")
    )]
    Operation(String),
    /// Which calls?
    #[error(
        "{0:?} are no calls: write a number from 1 on, as in 3, or 3+ (and all later ones), 2-4, */10 (every tenth) or * (all)"
    )]
    Calls(String),
    /// What shall become of them?
    #[error(
        "{0:?} is no kind of fault: write throttle, error, deny, reset, lose-answer, stall, stall-answer, delay=DURATION, \
         delay-answer=DURATION or cut=BYTES"
    )]
    Kind(String),
    /// How long?
    #[error("{kind}={what}")]
    Duration {
        /// The kind of fault.
        kind: &'static str,
        /// What is wrong.
        what: String,
    },
    /// How many bytes?
    #[error("cut={0}: write how many bytes are let through, as in cut=1000")]
    Bytes(String),
    /// Nothing to cut.
    #[error("{0} has no transfer that could be cut short; those of GetObject, PutObject and UploadPart can")]
    NoTransfer(String),
    /// How fast?
    #[error("{0:?} is no rate: write calls per second, a number above 0 such as 2 or 0.5")]
    Rate(String),
    /// How many at once?
    #[error("{0:?} is no burst: write a whole number from 1 on")]
    Burst(String),
}
