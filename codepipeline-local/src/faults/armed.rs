//! The active faults and throttles of an emulator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::Call;
use super::fault::{Fault, FaultKind, Throttle};
use super::token_bucket::TokenBucket;
use crate::types::Timestamp;

/// The number of fired faults that are remembered. An emulator may run for weeks.
const REMEMBERED: usize = 100_000;

/// A fault that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The name of the operation, or `?` for an operation that the emulator does not have.
    pub operation: String,
    /// The number of the call among the fault's calls; 0 for a [`Throttle`].
    pub call: u64,
    /// The kind of the fault.
    pub kind: FaultKind,
}

/// The faults of an emulator, which can be added and removed while it runs. Clones are handles to the same faults.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Each with the number of its calls so far.
    faults: Vec<(Fault, u64)>,
    /// Each with a bucket per operation.
    throttles: Vec<(Throttle, BTreeMap<Call, TokenBucket>)>,
    fired: VecDeque<Fired>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault, which applies to calls from now on. If several faults match a call, the first one fires, and all
    /// count the call.
    pub fn add(&self, fault: Fault) {
        self.lock().faults.push((fault, 0));
    }

    /// Adds a throttle, which applies to calls from now on. A call with a fault does not count.
    pub fn throttle(&self, throttle: Throttle) {
        self.lock().throttles.push((throttle, BTreeMap::new()));
    }

    /// Removes all faults and throttles. Faults in progress continue.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.throttles.clear();
    }

    /// The fired faults in order, at most the last hundred thousand.
    pub fn fired(&self) -> Vec<Fired> {
        self.lock().fired.iter().cloned().collect()
    }

    /// The fault for this call, if any.
    pub(crate) fn next(&self, call: &Call, now: Timestamp) -> Option<FaultKind> {
        let mut state = self.lock();
        let mut due = None;
        for (fault, seen) in state.faults.iter_mut().filter(|(fault, _)| fault.on.is(call)) {
            *seen += 1;
            if due.is_none() && fault.calls.contain(*seen) {
                due = Some((*seen, fault.kind));
            }
        }
        let mut taken = || {
            let mut on_it = state.throttles.iter_mut().filter(|(throttle, _)| throttle.on.is(call));
            on_it.all(|(throttle, buckets)| {
                buckets.entry(call.clone()).or_insert_with(|| TokenBucket::full(throttle, now)).take(throttle, now)
            })
        };
        let (number, kind) = match due {
            Some(due) => due,
            None if taken() => return None,
            None => (0, FaultKind::Throttle),
        };
        let operation = call.operation().unwrap_or("?").to_owned();
        tracing::info!(operation, call = number, "fault: {kind}");
        if state.fired.len() == REMEMBERED {
            state.fired.pop_front();
        }
        state.fired.push_back(Fired { operation, call: number, kind });
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of ten calls.
    fn ten(faults: &Faults, operation: &'static str) -> String {
        let call = Call::named(operation);
        (0..10).map(|_| faults.next(&call, Timestamp(0)).map_or('.', |kind| kind.to_string().remove(0))).collect()
    }

    #[test]
    fn fault_hits_only_the_calls_it_names() {
        for (calls, wrong) in [
            ("3", "..r......."),
            ("3+", "..rrrrrrrr"),
            ("2-4", ".rrr......"),
            ("*/3", "..r..r..r."),
            ("*", "rrrrrrrrrr"),
        ] {
            let faults = Faults::default();
            faults.add(format!("PollForJobs:{calls}:reset").parse().unwrap());
            assert_eq!(ten(&faults, "GetObject"), "..........");
            assert_eq!(ten(&faults, "PollForJobs"), wrong, "{calls}");
        }
    }

    #[test]
    fn first_due_fault_fires_and_all_count_the_call() {
        let faults = Faults::default();
        for fault in ["PutObject:2:error", "s3:*:2-3:reset", "*:3-5:throttle", "codepipeline:*:*:stall"] {
            faults.add(fault.parse().unwrap());
        }
        assert_eq!(ten(&faults, "PutObject"), ".ertt.....");
        let fired: Vec<_> = faults.fired().into_iter().map(|fired| (fired.call, fired.kind.to_string())).collect();
        let wanted = [(2, "error"), (3, "reset"), (4, "throttle"), (5, "throttle")];
        assert_eq!(fired, wanted.map(|(call, kind)| (call, kind.to_owned())));
        faults.clear();
        assert_eq!(ten(&faults, "AcknowledgeJob"), "..........");
    }

    #[test]
    fn throttle_allows_a_burst_and_then_its_rate() {
        let faults = Faults::default();
        faults.throttle("codepipeline:*:0.5:3".parse().unwrap());
        assert_eq!(ten(&faults, "GetObject"), "..........");
        assert_eq!(ten(&faults, "PollForJobs"), "...ttttttt");
        assert_eq!(ten(&faults, "AcknowledgeJob"), "...ttttttt", "each operation has its own rate");
        let at = |seconds: u64| faults.next(&Call::named("PollForJobs"), Timestamp(seconds * 1000)).is_none();
        assert_eq!([1, 2, 3, 4, 5].map(at), [false, true, false, true, false]);
        assert_eq!([100; 5].map(at), [true, true, true, false, false]);
    }
}
