//! The lines of the log about one job, as a person reads them.

mod calls;
mod ids;
mod job;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::log::read_line;

/// The lines that the worker has written so far.
fn lines(log: &mut UnboundedReceiver<String>) -> Vec<Value> {
    let mut lines = Vec::new();
    while let Ok(line) = log.try_recv() {
        lines.push(line);
    }
    read(&lines)
}

fn read(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| read_line(line)).collect()
}

/// The lines about jobs.
fn of_jobs(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line.get("jobId").is_some())
}
