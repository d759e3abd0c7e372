//! Faults and throttles.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use super::call::{Call, operations};
use super::mistake::InvalidFault;

/// Operations with transfers that can be cut.
const TRANSFERS: [&str; 3] = ["GetObject", "PutObject", "UploadPart"];

/// A fault: which calls of an operation fail, and how. Written `OPERATION:CALLS:KIND`, for example
/// `PutJobSuccessResult:1:lose-answer`, `GetObject:3:cut=1000` or `s3:*:*/10:error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) on: Target,
    pub(super) calls: Calls,
    pub(super) kind: FaultKind,
}

/// The calls that a fault hits. Counting starts at 1 when the fault is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// From the first number to the last: `3` or `2-4`.
    Range(u64, u64),
    /// This call and all later ones: `3+`.
    From(u64),
    /// Each call whose number is a multiple: `*/10`.
    Every(u64),
    /// All calls: `*`.
    All,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Refuses the call as throttled, without effect: CodePipeline's `ThrottlingException` (400), S3's `SlowDown`
    /// (503).
    Throttle,
    /// Responds with status 500, without effect: `InternalFailure`, or S3's `InternalError`. A real 500 leaves the
    /// effect open; [`FaultKind::LoseAnswer`] covers a call that took effect.
    Error,
    /// Refuses the call because a permission is missing, without effect: CodePipeline's `AccessDeniedException`
    /// (400), S3's `AccessDenied` (403).
    Deny,
    /// Resets the connection, without effect.
    Reset,
    /// Takes effect, and resets the connection instead of responding.
    LoseAnswer,
    /// Has no effect and never responds. The connection stays open.
    Stall,
    /// Takes effect and never responds. The connection stays open.
    StallAnswer,
    /// Takes effect after this time, even if the client is gone by then. In the emulator's time.
    Delay(Duration),
    /// Takes effect at once, and responds after this time. In the emulator's time.
    DelayAnswer(Duration),
    /// Cuts the transfer after this many bytes. The response to `GetObject` ends before its `Content-Length`. Of a
    /// request body (`PutObject`, `UploadPart`) the rest is not read, and the connection is reset. Shorter bodies
    /// pass.
    Cut(u64),
}

impl FaultKind {
    /// Whether the fault keeps the call from its service, so that it has no effect.
    pub(crate) fn prevents_the_call(self) -> bool {
        matches!(self, Self::Throttle | Self::Error | Self::Deny | Self::Reset | Self::Stall)
    }
}

/// The operations that a fault or throttle applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Any,
    CodePipeline,
    S3,
    Operation(&'static str),
}

impl Target {
    pub(super) fn is(&self, call: &Call) -> bool {
        match self {
            Self::Any => true,
            Self::CodePipeline => call.is_codepipeline(),
            Self::S3 => call.is_s3(),
            Self::Operation(name) => call.operation() == Some(name),
        }
    }
}

/// A rate limit: calls above it are refused as throttled. Written `OPERATION:RATE` or `OPERATION:RATE:BURST`, for
/// example `PollForJobs:2` or `codepipeline:*:0.5:10`. Each operation has its own rate, also if the throttle names
/// several.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    pub(super) on: Target,
    /// Calls per second of the emulator's time.
    pub(super) rate: f64,
    /// The number of calls at once after a pause.
    pub(super) burst: u32,
}

impl Fault {
    /// Creates a fault. `on` is an operation's name, `codepipeline:*`, `s3:*` or `*`.
    ///
    /// # Errors
    /// Returns an error if the operation is unknown, the calls can never happen, or the operation has no transfer
    /// to cut.
    pub fn new(on: &str, calls: Calls, kind: FaultKind) -> Result<Self, InvalidFault> {
        Self::checked(on.parse()?, calls, kind)
    }

    pub(super) fn checked(on: Target, calls: Calls, kind: FaultKind) -> Result<Self, InvalidFault> {
        let possible = match calls {
            Calls::Range(first, last) => first > 0 && first <= last,
            Calls::From(number) | Calls::Every(number) => number > 0,
            Calls::All => true,
        };
        if !possible {
            return Err(InvalidFault::Calls(calls.to_string()));
        }
        let transfers = matches!(on, Target::Operation(name) if TRANSFERS.contains(&name));
        if matches!(kind, FaultKind::Cut(_)) && !transfers {
            return Err(InvalidFault::NoTransfer(on.to_string()));
        }
        Ok(Self { on, calls, kind })
    }
}

impl Calls {
    pub(super) fn contain(self, number: u64) -> bool {
        match self {
            Self::Range(first, last) => (first..=last).contains(&number),
            Self::From(first) => number >= first,
            Self::Every(step) => number.is_multiple_of(step),
            Self::All => true,
        }
    }
}

impl FromStr for Target {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        match text {
            "*" => Ok(Self::Any),
            "codepipeline:*" => Ok(Self::CodePipeline),
            "s3:*" => Ok(Self::S3),
            name => {
                let known = operations().find(|known| *known == name);
                known.map(Self::Operation).ok_or_else(|| InvalidFault::Operation(name.to_owned()))
            }
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "*",
            Self::CodePipeline => "codepipeline:*",
            Self::S3 => "s3:*",
            Self::Operation(name) => name,
        })
    }
}

impl Display for Calls {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(first, last) if first == last => write!(f, "{first}"),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
            Self::From(first) => write!(f, "{first}+"),
            Self::Every(step) => write!(f, "*/{step}"),
            Self::All => f.write_str("*"),
        }
    }
}

impl Display for FaultKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let milliseconds = Duration::as_millis;
        match self {
            Self::Throttle => f.write_str("throttle"),
            Self::Error => f.write_str("error"),
            Self::Deny => f.write_str("deny"),
            Self::Reset => f.write_str("reset"),
            Self::LoseAnswer => f.write_str("lose-answer"),
            Self::Stall => f.write_str("stall"),
            Self::StallAnswer => f.write_str("stall-answer"),
            Self::Delay(time) => write!(f, "delay={}ms", milliseconds(time)),
            Self::DelayAnswer(time) => write!(f, "delay-answer={}ms", milliseconds(time)),
            Self::Cut(bytes) => write!(f, "cut={bytes}"),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.on, self.calls, self.kind)
    }
}
