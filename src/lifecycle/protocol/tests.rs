use super::Phase::{Claiming, Done, Held, Reporting};
use super::limits::{MOST_REPORTS, adoptions, is_over};
use super::{Afterwards, Aim, Command, Event, Exit, Offers, Phase, Seen, State, next};

const OURS: u8 = 1;
const OTHER: u8 = 9;

fn seen(phase: Phase) -> Seen<u8> {
    Seen { version: OTHER, phase, written: false, mine: false, lease_over: false }
}

fn old(phase: Phase) -> Seen<u8> {
    Seen { lease_over: true, ..seen(phase) }
}

fn written(phase: Phase) -> Seen<u8> {
    Seen { version: OURS, written: true, mine: true, ..seen(phase) }
}

fn mine(phase: Phase) -> Seen<u8> {
    Seen { mine: true, ..seen(phase) }
}

fn reading(aim: Aim, over: Option<u8>) -> State<u8> {
    State::Reading { aim, over }
}

fn after(state: State<u8>, event: Event<u8>) -> Command<u8> {
    next(state, event).1
}

#[test]
fn a_read_decides_what_follows_an_unanswered_write() {
    let adopt = Aim::Adopt(Afterwards::Fail);
    let again = |aim, over| Command::Write { aim, over: Some(over) };
    let cases = [
        (Aim::Claim, None, None, Command::Write { aim: Aim::Claim, over: None }),
        (Aim::Claim, None, Some(written(Claiming)), Command::Acknowledge),
        (Aim::Claim, None, Some(seen(Claiming)), Command::Leave(Exit::Lost)),
        (Aim::Claim, None, Some(old(Claiming)), again(Aim::Claim, OTHER)),
        (Aim::Claim, None, Some(old(Held)), Command::Acknowledge),
        (Aim::Claim, None, Some(old(Reporting)), Command::Acknowledge),
        (Aim::Claim, None, Some(seen(Done)), Command::Leave(Exit::Lost)),
        (Aim::Hold, Some(OURS), Some(written(Held)), Command::Run),
        (Aim::Hold, Some(OURS), Some(seen(Claiming)), again(Aim::Hold, OTHER)),
        (Aim::Hold, Some(OURS), Some(seen(Held)), Command::Leave(Exit::HeldByOther)),
        (Aim::Hold, Some(OURS), Some(seen(Done)), Command::Leave(Exit::HeldByOther)),
        (Aim::Mark, Some(OTHER), Some(old(Claiming)), again(Aim::Mark, OTHER)),
        (Aim::Mark, Some(OURS), Some(old(Claiming)), Command::Leave(Exit::Lost)),
        (Aim::Mark, Some(OTHER), Some(written(Claiming)), Command::Leave(Exit::Marked)),
        (adopt, Some(OTHER), Some(old(Held)), again(adopt, OTHER)),
        (adopt, Some(OTHER), Some(written(Held)), Command::Fail),
        (adopt, Some(OURS), Some(seen(Held)), Command::Leave(Exit::Lost)),
        (adopt, Some(OTHER), None, Command::Leave(Exit::Lost)),
        (Aim::AdoptReport, Some(OTHER), Some(written(Reporting)), Command::Report),
        (Aim::Outcome, Some(OURS), Some(mine(Held)), again(Aim::Outcome, OTHER)),
        (Aim::Outcome, Some(OURS), Some(seen(Held)), Command::Leave(Exit::HoldLost)),
        (Aim::Outcome, Some(OURS), None, Command::Report),
        (Aim::Done, Some(OURS), Some(mine(Reporting)), again(Aim::Done, OTHER)),
        (Aim::Done, Some(OURS), Some(seen(Held)), Command::Leave(Exit::Done)),
        (Aim::Done, None, None, Command::Leave(Exit::Done)),
    ];
    for (aim, over, found, expected) in cases {
        let case = format!("{aim:?} over {over:?}, found {found:?}");
        assert_eq!(after(reading(aim, over), Event::Found(found)), expected, "{case}");
    }
}

#[test]
fn phase_and_polls_decide_who_is_adopted() {
    let write = |aim| Command::Write { aim, over: Some(OTHER) };
    let lost = Command::Leave(Exit::Lost);
    let cases = [
        (old(Claiming), Offers::Some, lost.clone()),
        (old(Claiming), Offers::None, write(Aim::Mark)),
        (old(Claiming), Offers::StillNone, write(Aim::Adopt(Afterwards::Run))),
        (old(Held), Offers::Some, write(Aim::Adopt(Afterwards::Fail))),
        (old(Reporting), Offers::Some, write(Aim::AdoptReport)),
        (old(Done), Offers::StillNone, lost.clone()),
        (seen(Claiming), Offers::StillNone, lost.clone()),
        (seen(Held), Offers::StillNone, lost.clone()),
        (seen(Reporting), Offers::StillNone, lost),
    ];
    for (found, offers, expected) in cases {
        assert_eq!(State::found(&found, offers, Afterwards::Fail).command(), expected, "{found:?}, {offers:?}");
    }
}

#[test]
fn only_the_creator_of_an_entry_deletes_it() {
    let acknowledging = |created, unanswered| State::Acknowledging { entry: OURS, created, unanswered };
    for event in [Event::NotGiven, Event::GivenUp] {
        assert_eq!(after(acknowledging(true, false), event.clone()), Command::Delete(OURS));
        assert_eq!(after(acknowledging(false, false), event.clone()), Command::Leave(Exit::Lost));
        assert_eq!(after(acknowledging(true, true), event.clone()), Command::Leave(Exit::Unknown));
        assert_eq!(after(acknowledging(false, true), event), Command::Leave(Exit::Unknown));
    }
    let step = next(acknowledging(true, false), Event::Unanswered);
    assert_eq!(step, (acknowledging(true, true), Command::Acknowledge));
}

#[test]
fn a_worker_that_vouches_does_not_run_the_job() {
    for event in [Event::InProgress, Event::NotGiven, Event::GivenUp] {
        assert_eq!(after(State::Vouching, event), Command::Leave(Exit::Lost));
    }
    assert_eq!(after(State::Vouching, Event::Unanswered), Command::Acknowledge);
}

#[test]
fn each_aim_ends_in_its_own_way_without_a_ledger() {
    let cases = [
        (Aim::Claim, Command::Leave(Exit::NoLedger)),
        (Aim::Hold, Command::Leave(Exit::NotHeld)),
        (Aim::Mark, Command::Leave(Exit::NoLedger)),
        (Aim::Adopt(Afterwards::Run), Command::Leave(Exit::NoLedger)),
        (Aim::AdoptReport, Command::Leave(Exit::NoLedger)),
        (Aim::Outcome, Command::Report),
        (Aim::Done, Command::Leave(Exit::Done)),
    ];
    for (aim, expected) in cases {
        assert_eq!(after(reading(aim, Some(OURS)), Event::GivenUp), expected, "{aim:?}");
        let writing = State::Writing { aim, over: Some(OURS) };
        assert_eq!(after(writing, Event::GivenUp), expected, "{aim:?}");
    }
}

#[test]
fn a_report_is_marked_as_done_or_sent_again() {
    let reporting = |entry| State::Reporting { entry };
    let done = Command::Write { aim: Aim::Done, over: Some(OURS) };
    assert_eq!(after(reporting(Some(OURS)), Event::Reported), done);
    assert_eq!(after(reporting(None), Event::Reported), Command::Read, "the entry to mark is unknown");
    assert_eq!(after(reporting(Some(OURS)), Event::NotInProgress), Command::Leave(Exit::NotInProgress));
    assert_eq!(after(reporting(Some(OURS)), Event::GivenUp), Command::Leave(Exit::Unreported));
}

#[test]
fn work_is_stopped_between_the_report_and_the_mark() {
    let reporting = |entry| State::Reporting { entry };
    let stopping = |entry| State::Stopping { entry };
    assert_eq!(after(reporting(Some(OURS)), Event::ReportedButRunning), Command::Stop);
    assert_eq!(after(reporting(None), Event::ReportedButRunning), Command::Stop);
    let done = Command::Write { aim: Aim::Done, over: Some(OURS) };
    assert_eq!(after(stopping(Some(OURS)), Event::Stopped), done);
    assert_eq!(after(stopping(None), Event::Stopped), Command::Read);
    assert_eq!(after(stopping(Some(OURS)), Event::GivenUp), Command::Leave(Exit::Unstopped));
}

#[test]
fn an_event_of_another_state_changes_nothing() {
    let running = State::Running { entry: OURS, afterwards: Afterwards::Run };
    for event in [Event::Refused, Event::InProgress, Event::Reported, Event::GivenUp, Event::Found(None)] {
        assert_eq!(next(running.clone(), event), (running.clone(), Command::Run));
    }
}

#[test]
fn a_refused_report_of_an_inferred_job_is_sent_four_times() {
    let mut adopted = adoptions(0, Claiming);
    let mut reports = 1;
    while !is_over(true, adopted) {
        adopted = adoptions(adopted, Reporting);
        reports += 1;
    }
    assert_eq!((reports, MOST_REPORTS), (4, 4));
    assert!(is_over(false, 0), "a job that was certainly acknowledged has ended");
}
