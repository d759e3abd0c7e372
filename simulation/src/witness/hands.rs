//! The invocations that received a job, and their mishaps.

use std::collections::BTreeSet;
use std::sync::Weak;

/// Every time that an invocation received the job: in the response to a poll, or in an event.
#[derive(Default)]
pub(crate) struct Hands {
    hands: Vec<Hand>,
    /// The invocations whose requests about the job met a fault.
    troubled: BTreeSet<usize>,
}

struct Hand {
    invocation: usize,
    /// The poll that brought it; empty for an event.
    request: String,
    came: Came,
}

enum Came {
    /// The response is under way as long as the invocation waits for it.
    Waits(Weak<()>),
    Yes,
    No,
}

impl Hands {
    /// The response to the request holds the job. The invocation waits for it as long as `awaited` is alive.
    pub(crate) fn offered(&mut self, invocation: usize, request: &str, awaited: &Weak<()>) {
        let came = Came::Waits(Weak::clone(awaited));
        self.hands.push(Hand { invocation, request: request.to_owned(), came });
    }

    /// An event brings it.
    pub(crate) fn invoked(&mut self, invocation: usize) {
        self.hands.push(Hand { invocation, request: String::new(), came: Came::Yes });
    }

    /// The response to the request arrived, or was lost.
    pub(crate) fn answered(&mut self, request: &str, well: bool) {
        for hand in self.hands.iter_mut().filter(|hand| hand.request == request) {
            hand.came = if well { Came::Yes } else { Came::No };
        }
    }

    /// A request about the job met a fault: it was refused or lost, or its response was.
    pub(crate) fn troubled(&mut self, invocation: usize) {
        self.troubled.insert(invocation);
    }

    /// How many of them had a mishap: the response was lost, the worker died, or a fault hit its requests. Each counts once.
    pub(crate) fn mishaps(&self, has_died: impl Fn(usize) -> bool) -> usize {
        let had_one = |hand: &&Hand| {
            let lost = match &hand.came {
                Came::Waits(awaited) => awaited.strong_count() == 0,
                Came::Yes => false,
                Came::No => true,
            };
            lost || self.troubled.contains(&hand.invocation) || has_died(hand.invocation)
        };
        self.hands.iter().filter(had_one).count()
    }

    /// Whether an invocation received the job, and each of them died or gave up after a fault.
    pub(crate) fn all_fell(&self, has_died: impl Fn(usize) -> bool, has_given_up: impl Fn(usize) -> bool) -> bool {
        let fell = |hand: &Hand| {
            let of = hand.invocation;
            has_died(of) || self.troubled.contains(&of) && has_given_up(of)
        };
        !self.hands.is_empty() && self.hands.iter().all(fell)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn none_died(_: usize) -> bool {
        false
    }

    #[test]
    fn an_offer_that_arrives_is_not_a_mishap() {
        let (mut hands, awaited) = (Hands::default(), Arc::new(()));
        hands.offered(1, "poll 1", &Arc::downgrade(&awaited));
        assert_eq!(hands.mishaps(none_died), 0, "the response is under way");
        hands.answered("poll 1", true);
        drop(awaited);
        assert_eq!(hands.mishaps(none_died), 0);
    }

    #[test]
    fn a_lost_or_abandoned_offer_is_a_mishap() {
        let (mut hands, awaited) = (Hands::default(), Arc::new(()));
        hands.offered(1, "poll 1", &Arc::downgrade(&awaited));
        hands.offered(1, "poll 2", &Arc::downgrade(&awaited));
        hands.answered("poll 1", false);
        assert_eq!(hands.mishaps(none_died), 1);
        drop(awaited);
        assert_eq!(hands.mishaps(none_died), 2);
    }

    #[test]
    fn several_faults_of_a_worker_are_one_mishap() {
        let mut hands = Hands::default();
        hands.invoked(1);
        hands.invoked(2);
        hands.troubled(1);
        hands.troubled(1);
        hands.troubled(3);
        assert_eq!(hands.mishaps(|invocation| invocation == 1), 1);
        assert_eq!(hands.mishaps(|invocation| invocation == 2), 2);
    }
}
