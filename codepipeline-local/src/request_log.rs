//! Which operations were called, for tests that count them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// How many operations are remembered in their order; an emulator may be served for weeks.
const REMEMBERED: usize = 100_000;

/// The operations that were called, by the names of their APIs: `PollForJobs`, `PutObject`.
#[derive(Clone, Default)]
pub(crate) struct RequestLog(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    counts: BTreeMap<String, usize>,
    order: VecDeque<String>,
}

impl RequestLog {
    pub(crate) fn add(&self, operation: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *log.counts.entry(operation.to_owned()).or_default() += 1;
        if log.order.len() == REMEMBERED {
            log.order.pop_front();
        }
        log.order.push_back(operation.to_owned());
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts.get(operation).copied().unwrap_or(0)
    }

    pub(crate) fn in_order(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).order.iter().cloned().collect()
    }
}
