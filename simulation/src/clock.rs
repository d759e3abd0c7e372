//! The simulated time: tokio's paused clock, and a wall clock that follows it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use codepipeline_local::types::Timestamp;
use tokio::time::Instant;

/// 2026-01-15 09:00:00 UTC, when every simulation begins.
const BEGIN: u64 = 1_768_467_600_000;

/// The time since the simulation began, and the time of day. A clock may be wrong by some seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wrong_by: i64,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), wrong_by: 0 }
    }

    /// The same clock on a machine whose wall clock is wrong by so many milliseconds.
    pub(crate) fn wrong_by(self, milliseconds: i64) -> Self {
        Self { wrong_by: milliseconds, ..self }
    }

    /// Milliseconds since the simulation began.
    pub(crate) fn elapsed(self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment so many milliseconds after the beginning.
    pub(crate) fn instant(self, milliseconds: u64) -> Instant {
        self.start + Duration::from_millis(milliseconds)
    }

    /// The time of day, as the services know it.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp((BEGIN + self.elapsed()).saturating_add_signed(self.wrong_by))
    }

    /// The time of day.
    pub(crate) fn wall(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.timestamp().0)
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.wall()
    }
}
