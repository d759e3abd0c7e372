//! What the witness takes for harm, and what for no more than the protocol allows.

use std::sync::Weak;

use super::*;

const ADOPTER: usize = 9;

fn nobody_died(_: usize) -> bool {
    false
}

/// A job that was offered so many times in vain, and that the adopter then took out of the listing.
fn adopted(mishaps: usize) -> Job {
    let mut job = Job { inferred_by: Some(ADOPTER), ..Job::default() };
    for number in 0..mishaps {
        job.hands.offered(number, &format!("poll {number}"), &Weak::new());
    }
    job
}

#[test]
fn only_two_mishaps_let_an_adopter_run_what_nobody_acknowledged() {
    for status in ["Dispatched", "Queued"] {
        assert_eq!(adopted(1).right_to_run(Some(status), ADOPTER, nobody_died), None);
        assert_eq!(adopted(2).right_to_run(Some(status), ADOPTER, nobody_died), Some(Right::Inferred));
        assert_eq!(adopted(2).right_to_run(Some(status), ADOPTER + 1, nobody_died), None);
        let job = Job { inferred_by: None, ..adopted(2) };
        assert_eq!(job.right_to_run(Some(status), ADOPTER, nobody_died), None);
    }
    assert_eq!(adopted(2).right_to_run(Some("Created"), ADOPTER, nobody_died), None);
    assert_eq!(adopted(2).right_to_run(Some("InProgress"), ADOPTER, nobody_died), None);
}

#[test]
fn what_is_in_progress_may_be_run_by_whom_it_was_given_and_what_is_over_once() {
    let given = || Job { acknowledged: vec![1], ..Job::default() };
    assert_eq!(given().right_to_run(Some("InProgress"), 1, nobody_died), Some(Right::Given));
    assert_eq!(given().right_to_run(Some("Dispatched"), 1, nobody_died), None);
    for status in [Some("TimedOut"), Some("Failed"), None] {
        assert_eq!(given().right_to_run(status, 1, nobody_died), Some(Right::Ended));
        let reported = Job { results: vec![1], ..given() };
        assert_eq!(reported.right_to_run(status, 1, nobody_died), None);
    }
}

#[test]
fn a_report_is_another_s_only_if_its_own_worker_died_or_was_refused_for_want_of_an_acknowledgement() {
    let run = |early, refused| Run { invocation: 1, ending: None, overlong: false, early, refused, over: true };
    let problem = |run: &Run, died, alive| run.not_to_be_reported_by(2, |_| died, |_| alive);
    assert!(run(false, false).not_to_be_reported_by(1, nobody_died, |_| true).is_none());
    assert!(problem(&run(false, false), true, false).is_none());
    assert!(problem(&run(true, true), false, false).is_none());
    for (early, refused, alive) in
        [(false, false, false), (true, false, false), (false, true, false), (true, true, true)]
    {
        assert!(problem(&run(early, refused), false, alive).is_some(), "{early}, {refused}, {alive}");
    }
}
