//! The faults and throttles of an emulator, and what they do to each call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::Call;
use super::fault::{Fault, FaultKind, Throttle};
use super::token_bucket::TokenBucket;
use crate::types::Timestamp;

/// How many faults that fired are remembered; an emulator may be served for weeks.
const REMEMBERED: usize = 100_000;

/// A fault that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The operation's name; that of a request which is none that the emulator has is `?`.
    pub operation: String,
    /// Which of the fault's calls it was; 0 for a [`Throttle`].
    pub call: u64,
    /// What was done to it.
    pub kind: FaultKind,
}

/// The faults of an emulator, to be added and removed while it runs. Clones are handles to the same ones.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Each with how many calls it has seen.
    faults: Vec<(Fault, u64)>,
    /// Each with what its operations may still do.
    throttles: Vec<(Throttle, BTreeMap<Call, TokenBucket>)>,
    fired: VecDeque<Fired>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, calls go wrong as the fault says. Where several faults are for one call, the first that was added fires, and
    /// all count it.
    pub fn add(&self, fault: Fault) {
        self.lock().faults.push((fault, 0));
    }

    /// From now on, calls are held to a rate. One that a fault is for does not count.
    pub fn throttle(&self, throttle: Throttle) {
        self.lock().throttles.push((throttle, BTreeMap::new()));
    }

    /// From now on, all goes well again. What has begun to go wrong goes on.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.throttles.clear();
    }

    /// What has fired so far, in order; of very many the last hundred thousand.
    pub fn fired(&self) -> Vec<Fired> {
        self.lock().fired.iter().cloned().collect()
    }

    /// What shall become of this call.
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

    /// What becomes of the first ten calls.
    fn ten(faults: &Faults, operation: &'static str) -> String {
        let call = Call::named(operation);
        (0..10).map(|_| faults.next(&call, Timestamp(0)).map_or('.', |kind| kind.to_string().remove(0))).collect()
    }

    #[test]
    fn the_calls_that_a_fault_names_go_wrong_and_no_others() {
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
    fn the_first_fault_that_is_due_fires_and_the_others_count_the_call_all_the_same() {
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
    fn a_throttle_takes_a_burst_and_then_its_rate_of_each_operation() {
        let faults = Faults::default();
        faults.throttle("codepipeline:*:0.5:3".parse().unwrap());
        assert_eq!(ten(&faults, "GetObject"), "..........");
        assert_eq!(ten(&faults, "PollForJobs"), "...ttttttt");
        assert_eq!(ten(&faults, "AcknowledgeJob"), "...ttttttt", "it has a rate of its own");
        let at = |seconds: u64| faults.next(&Call::named("PollForJobs"), Timestamp(seconds * 1000)).is_none();
        assert_eq!([1, 2, 3, 4, 5].map(at), [false, true, false, true, false]);
        assert_eq!([100; 5].map(at), [true, true, true, false, false]);
    }
}
