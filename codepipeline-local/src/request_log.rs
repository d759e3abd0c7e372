//! Records called operations, for tests that count them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// How many operations are kept in order. An emulator may run for weeks.
const REMEMBERED: usize = 100_000;

/// The called operations by their API names: `PollForJobs`, `PutObject`.
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
