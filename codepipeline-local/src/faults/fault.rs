//! Faults and throttles.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use super::call::{Call, operations};
use super::mistake::InvalidFault;

/// The operations whose transfers can be cut short.
const TRANSFERS: [&str; 3] = ["GetObject", "PutObject", "UploadPart"];

/// Which calls of an operation go wrong, and how. As a text, `OPERATION:CALLS:KIND`: `PutJobSuccessResult:1:lose-answer`,
/// `GetObject:3:cut=1000`, `s3:*:*/10:error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) on: Target,
    pub(super) calls: Calls,
    pub(super) kind: FaultKind,
}

/// Which of the calls that a fault is for. They are counted from the moment that the fault is added, the first being 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// These alone, from the first number to the last: `3` or `2-4`.
    Range(u64, u64),
    /// This one and all that follow: `3+`.
    From(u64),
    /// Each whose number this one divides: `*/10`.
    Every(u64),
    /// `*`
    All,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It is refused for the number of calls, without effect: CodePipeline's `ThrottlingException` (400), S3's `SlowDown` (503).
    Throttle,
    /// It is answered 500, without effect: `InternalFailure`, S3's `InternalError`. A real 500 leaves open whether there was
    /// one; for the other case there is [`FaultKind::LoseAnswer`].
    Error,
    /// It is refused for want of a permission, without effect: CodePipeline's `AccessDeniedException` (400), S3's `AccessDenied`
    /// (403).
    Deny,
    /// The connection is reset, without effect.
    Reset,
    /// It takes effect, and the connection is reset instead of an answer.
    LoseAnswer,
    /// It has no effect and is never answered; the connection stays open.
    Stall,
    /// It takes effect and is never answered; the connection stays open.
    StallAnswer,
    /// It is late: it takes effect after this time, even if whoever sent it is gone by then. In the emulator's time.
    Delay(Duration),
    /// It takes effect at once and is answered after this time. In the emulator's time.
    DelayAnswer(Duration),
    /// The transfer breaks off after so many bytes: the answer to `GetObject` ends though its `Content-Length` says more, and of the
    /// body of `PutObject` or `UploadPart` no more is read, then the connection is reset. Shorter bodies pass whole.
    Cut(u64),
}

impl FaultKind {
    /// Whether the call has no effect, because no service gets it.
    pub(crate) fn prevents_the_call(self) -> bool {
        matches!(self, Self::Throttle | Self::Error | Self::Deny | Self::Reset | Self::Stall)
    }
}

/// Which operation a fault or throttle is for.
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

/// How many calls of an operation are taken in a second; more are refused as throttled. As a text, `OPERATION:RATE` or
/// `OPERATION:RATE:BURST`: `PollForJobs:2`, `codepipeline:*:0.5:10`. Where it is for several operations, each has the rate for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    pub(super) on: Target,
    /// Calls per second of the emulator's time.
    pub(super) rate: f64,
    /// How many calls are taken at once after a time without any.
    pub(super) burst: u32,
}

impl Fault {
    /// `on` is an operation's name, `codepipeline:*`, `s3:*` or `*`.
    ///
    /// # Errors
    /// When there is no such operation, the calls can never come, or there is no transfer to cut.
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
