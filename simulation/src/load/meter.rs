//! The counts of a load, taken where the requests arrive.

use std::collections::BTreeMap;

use super::throttle::Bucket;

/// The counts of one simulation.
#[derive(Default)]
pub(crate) struct Meter {
    pub(super) bucket: Bucket,
    /// Polls that arrived, throttled ones included.
    pub(super) polls: u64,
    pub(super) throttled: u64,
    /// Polls whose response had a job.
    pub(super) with_job: u64,
    pub(super) ticks: u64,
    /// Requests to S3 by bucket and operation.
    pub(super) s3: BTreeMap<(String, String), u64>,
    /// When each action started, in milliseconds.
    started: BTreeMap<String, u64>,
    /// The action execution of each job.
    jobs: BTreeMap<String, String>,
    /// How long each action waited for its first acknowledgement, in milliseconds.
    pub(super) waited: BTreeMap<String, u64>,
    /// How long commands ran together, in milliseconds.
    pub(super) commands: u64,
    /// How long invocations lasted together, in milliseconds.
    pub(super) lambda: u64,
    /// Invocations that returned an error.
    pub(super) failed: u64,
    /// Events that Lambda dropped.
    pub(super) dropped: u64,
    /// When the last report took effect, in milliseconds.
    pub(super) last_result: u64,
    /// The most invocations at a time.
    pub(super) most_at_once: usize,
}

impl Meter {
    pub(super) fn started(&mut self, execution: &str, now: u64) {
        self.started.entry(execution.to_owned()).or_insert(now);
    }

    /// The response to a poll holds these jobs, each with its action execution.
    pub(crate) fn offered(&mut self, jobs: Vec<(String, String)>) {
        self.with_job += u64::from(!jobs.is_empty());
        self.jobs.extend(jobs);
    }

    pub(crate) fn acknowledged(&mut self, job: &str, now: u64) {
        let Some(execution) = self.jobs.get(job) else { return };
        let since = self.started.get(execution).copied().unwrap_or(now);
        self.waited.entry(execution.clone()).or_insert(now - since);
    }

    /// A report took effect.
    pub(crate) fn reported(&mut self, now: u64) {
        self.last_result = now;
    }

    /// A request to S3 arrived.
    pub(crate) fn requested(&mut self, bucket: &str, operation: &str) {
        *self.s3.entry((bucket.to_owned(), operation.to_owned())).or_default() += 1;
    }

    /// So many invocations run now.
    pub(crate) fn running(&mut self, invocations: usize) {
        self.most_at_once = self.most_at_once.max(invocations);
    }

    /// An invocation ended after so many milliseconds.
    pub(crate) fn ended(&mut self, lasted: u64, failed: bool) {
        self.lambda += lasted;
        self.failed += u64::from(failed);
    }
}
