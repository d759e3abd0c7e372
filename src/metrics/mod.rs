//! Metrics in CloudWatch's embedded metric format (EMF): one line of the log when a job ends, and one when an invocation ends.
//!
//! CloudWatch Logs extracts the metrics from these lines, so they cost no request. A line names only the metrics that it has. A
//! count of zero is left out, because CloudWatch charges for each metric and hour.
//!
//! `telemetry` writes these lines as events of the log. So the ids of a line come from the spans around it, as in each other line.
//!
//! A line stays far below the limits of the format: 100 metrics, 30 dimensions and 1 MB. All numbers are whole, so none is infinite.

mod invocation;
mod job;
mod line;
mod meter;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use invocation::InvocationLine;
use job::JobLine;
use line::Head;

pub use invocation::InvocationValues;
pub use job::JobValues;
pub use meter::{InvocationMeter, JobMeter, Stopwatch};
pub use writer::Metrics;

/// A count as a metric. Zero is left out.
pub fn counted(number: usize) -> Option<u64> {
    (number > 0).then(|| u64::try_from(number).unwrap_or(u64::MAX))
}

/// A line of each kind with every member that it may have. Tests compare the template and the documents with it.
#[doc(hidden)]
pub fn complete_lines() -> [String; 2] {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let metrics = Metrics::new("test", || SystemTime::UNIX_EPOCH, {
        let lines = Arc::clone(&lines);
        move |line| {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(line).into_owned());
        }
    });
    metrics.write(|time| JobLine::complete(Head::new(time, "metrics of a job")));
    metrics.write(|time| InvocationLine::complete(Head::new(time, "metrics of an invocation")));
    let lines: Vec<String> = lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
    lines.try_into().unwrap_or_default()
}
