//! Tests what the witness counts as a broken promise.

use std::sync::Weak;

use super::start::Right;
use super::*;

const ADOPTER: usize = 9;

fn none_died(_: usize) -> bool {
    false
}

/// A job whose offer was lost so many times, and that the adopter found in the listing.
fn adopted(mishaps: usize) -> Job {
    let mut job = Job { inferred_by: Some(ADOPTER), ..Job::default() };
    for number in 0..mishaps {
        job.hands.offered(number, &format!("poll {number}"), &Weak::new());
    }
    job
}

#[test]
fn an_unacknowledged_job_runs_only_after_two_mishaps() {
    for status in ["Dispatched", "Queued"] {
        assert_eq!(adopted(1).right_to_run(Some(status), ADOPTER, none_died), None);
        assert_eq!(adopted(2).right_to_run(Some(status), ADOPTER, none_died), Some(Right::Inferred));
        assert_eq!(adopted(2).right_to_run(Some(status), ADOPTER + 1, none_died), None);
        let job = Job { inferred_by: None, ..adopted(2) };
        assert_eq!(job.right_to_run(Some(status), ADOPTER, none_died), None);
    }
    assert_eq!(adopted(2).right_to_run(Some("Created"), ADOPTER, none_died), None);
    assert_eq!(adopted(2).right_to_run(Some("InProgress"), ADOPTER, none_died), None);
}

#[test]
fn a_job_in_progress_runs_and_an_ended_one_only_once() {
    let given = || Job { acknowledged: vec![1], ..Job::default() };
    assert_eq!(given().right_to_run(Some("InProgress"), 1, none_died), Some(Right::Given));
    assert_eq!(given().right_to_run(Some("Dispatched"), 1, none_died), None);
    for status in [Some("TimedOut"), Some("Failed"), None] {
        assert_eq!(given().right_to_run(status, 1, none_died), Some(Right::Ended));
        let reported = Job { results: vec![1], ..given() };
        assert_eq!(reported.right_to_run(status, 1, none_died), None);
    }
}

#[test]
fn another_worker_reports_only_after_death_or_refusal() {
    let turn = |early, refused| Turn {
        invocation: 1,
        ending: None,
        overlong: false,
        alone: false,
        early,
        refused,
        over: true,
    };
    let problem = |turn: &Turn, died, alive| turn.not_to_be_reported_by(2, |_| died, |_| alive);
    assert!(turn(false, false).not_to_be_reported_by(1, none_died, |_| true).is_none());
    assert!(problem(&turn(false, false), true, false).is_none());
    assert!(problem(&turn(true, true), false, false).is_none());
    for (early, refused, alive) in
        [(false, false, false), (true, false, false), (false, true, false), (true, true, true)]
    {
        assert!(problem(&turn(early, refused), false, alive).is_some(), "{early}, {refused}, {alive}");
    }
}
