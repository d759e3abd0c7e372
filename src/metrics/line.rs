//! The members that every line has.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use metrique::unit_of_work::metrics;

/// The members that every line has. Lambda adds a time and a level to a JSON line that lacks one, so the line has both.
#[metrics(subfield_owned)]
pub(super) struct Head {
    #[metrics(timestamp)]
    time: SystemTime,
    #[metrics(name = "timestamp")]
    text: String,
    #[metrics(name = "level")]
    level: &'static str,
    #[metrics(name = "message")]
    message: &'static str,
}

impl Head {
    pub(super) fn new(time: SystemTime, message: &'static str) -> Self {
        let text = DateTime::from(time).fmt(Format::DateTime).unwrap_or_default();
        Self { time, text, level: "INFO", message }
    }
}
