//! What a person reads in the log about one job.

mod ids;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

/// The lines that the worker has written so far.
fn lines(log: &mut UnboundedReceiver<String>) -> Vec<Value> {
    let mut lines = Vec::new();
    while let Ok(line) = log.try_recv() {
        lines.push(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
    }
    lines
}

/// The lines about jobs.
fn of_jobs(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line.get("jobId").is_some())
}
