//! The lines that a worker writes with its metrics.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use codepipeline_worker::metrics::Metrics;
use codepipeline_worker::worker::Worker;
use serde_json::Value;

/// The time of each line: 20 November 2026.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800)
}

/// The lines of one worker.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// The worker with metrics, and what it writes.
    pub(crate) fn by(worker: Worker) -> (Worker, Self) {
        let written = Self::default();
        (worker.metrics(written.metrics()), written)
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let written = self.clone();
        Metrics::new("test", now, move |line| written.0.lock().unwrap().extend_from_slice(line))
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The values of a metric, as CloudWatch extracts them.
    pub(crate) fn values(&self, metric: &str) -> Vec<u64> {
        values(&self.lines(), metric)
    }
}

/// The values of a metric in lines of the log, as CloudWatch extracts them: only those that a line's directive names.
pub(crate) fn values(lines: &[Value], metric: &str) -> Vec<u64> {
    let names = |line: &Value| {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
        directives.iter().any(|it| it["Metrics"].as_array().unwrap().iter().any(|it| it["Name"] == metric))
    };
    lines.iter().filter(|line| names(line)).map(|line| line[metric].as_u64().unwrap()).collect()
}
