//! In whose hands a job was, and what went wrong there.

use std::collections::BTreeSet;
use std::sync::Weak;

/// Everybody to whom a job was handed: each answer to a poll that named it, each event that delivered it.
#[derive(Default)]
pub(crate) struct Hands {
    hands: Vec<Hand>,
    /// The invocations that met a fault with a request about the job.
    troubled: BTreeSet<usize>,
}

struct Hand {
    invocation: usize,
    /// The request that asked for it; none for an event.
    request: String,
    came: Came,
}

enum Came {
    /// It is on its way as long as somebody waits for it.
    Waits(Weak<()>),
    Yes,
    No,
}

impl Hands {
    /// The answer to the request names the job, and is awaited as long as `awaited` is held.
    pub(crate) fn offered(&mut self, invocation: usize, request: &str, awaited: &Weak<()>) {
        let came = Came::Waits(Weak::clone(awaited));
        self.hands.push(Hand { invocation, request: request.to_owned(), came });
    }

    /// An event brings it.
    pub(crate) fn invoked(&mut self, invocation: usize) {
        self.hands.push(Hand { invocation, request: String::new(), came: Came::Yes });
    }

    /// The answer to the request has come, or was lost.
    pub(crate) fn answered(&mut self, request: &str, well: bool) {
        for hand in self.hands.iter_mut().filter(|hand| hand.request == request) {
            hand.came = if well { Came::Yes } else { Came::No };
        }
    }

    /// A request about the job was refused without need, lost, or not answered.
    pub(crate) fn troubled(&mut self, invocation: usize) {
        self.troubled.insert(invocation);
    }

    /// How many of them had a mishap: what they were handed got lost, they died, or a fault met their requests. Each counts
    /// once, whatever happened to it.
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

    /// Whether it was given to somebody, and each of them either died, or met a fault and gave up.
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

    fn nobody_died(_: usize) -> bool {
        false
    }

    #[test]
    fn an_offer_that_comes_and_is_dealt_with_is_no_mishap() {
        let (mut hands, awaited) = (Hands::default(), Arc::new(()));
        hands.offered(1, "poll 1", &Arc::downgrade(&awaited));
        assert_eq!(hands.mishaps(nobody_died), 0, "it is on its way");
        hands.answered("poll 1", true);
        drop(awaited);
        assert_eq!(hands.mishaps(nobody_died), 0);
    }

    #[test]
    fn an_offer_is_a_mishap_that_is_lost_or_for_which_nobody_waits_any_more() {
        let (mut hands, awaited) = (Hands::default(), Arc::new(()));
        hands.offered(1, "poll 1", &Arc::downgrade(&awaited));
        hands.offered(1, "poll 2", &Arc::downgrade(&awaited));
        hands.answered("poll 1", false);
        assert_eq!(hands.mishaps(nobody_died), 1);
        drop(awaited);
        assert_eq!(hands.mishaps(nobody_died), 2);
    }

    #[test]
    fn who_dies_of_many_faults_has_had_one_mishap() {
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
