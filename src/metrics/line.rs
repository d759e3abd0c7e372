//! The members that every line has.

use std::time::SystemTime;

use metrique::unit_of_work::metrics;

/// The members that every line has. `telemetry` adds those of a log line, with the ids of the job and of the invocation.
#[metrics(subfield_owned)]
pub(super) struct Head {
    #[metrics(timestamp)]
    time: SystemTime,
    #[metrics(name = "message")]
    message: &'static str,
}

impl Head {
    pub(super) fn new(time: SystemTime, message: &'static str) -> Self {
        Self { time, message }
    }
}
