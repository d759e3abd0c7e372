//! The lines of the log about one job, as a person reads them.

mod calls;
mod ids;
mod job;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

/// The lines that the worker has written so far.
fn lines(log: &mut UnboundedReceiver<String>) -> Vec<Value> {
    let mut lines = Vec::new();
    while let Ok(line) = log.try_recv() {
        lines.push(line);
    }
    read(&lines)
}

fn read(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The lines about jobs, without those of metrics, which have fields of their own.
fn of_jobs(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line.get("jobId").is_some() && line.get("_aws").is_none())
}
