//! Checks the ledger's protocol in every order of events: `lifecycle::protocol` itself, with models of CodePipeline and S3.
//!
//! `cargo test --test it model:: -- --nocapture` prints the number of states of each configuration. `MODEL=large` has larger
//! budgets and takes minutes.
//!
//! **What can happen.** Workers poll, receive jobs or their events, take their steps in any order, die before or after any
//! request, and end. When none is left, a new one comes. CodePipeline offers a job again at any time until it is acknowledged,
//! with the same nonce or another. It answers or refuses a second acknowledgement, and a report before the acknowledgement. A
//! request is lost, or takes effect later unanswered. S3 refuses a write whose condition holds (409). The ledger or CodePipeline
//! is out of reach until time is up, at any step. Each of these *mishaps*, worker deaths included, comes from a budget. So do
//! polls that bring a job.
//!
//! **What is shown**, for so many polls that bring a job (in brackets: with `MODEL=large`):
//!
//! | | a death | a fault | a death and a fault | two deaths | two faults |
//! |---|---|---|---|---|---|
//! | three workers, one job | 3 (4) | 3 (4) | 2 (4) | 3 (4) | none (3) |
//! | the same, `onCrash` is `run` | 3 | 3* | 2* | 3* | none |
//! | two workers, two jobs | 3 | 2 (4) | 2* | 3* | none |
//! | two jobs of one invocation, two workers | 3 | none | 2* | none | none |
//!
//! Each cell holds for all eight services. A star means the first service only, unless `MODEL=large`. For a job that three
//! workers receive in two events, a death and a fault are checked with both settings of `onCrash` (with `MODEL=large` and
//! `fail`, two of each). The services do not differ in events, so one of them is enough.
//!
//! - With one mishap, every property of `service::broken` holds. A worker counts as dead if it never learns whether the ledger
//!   has its hold, or can report its outcome to neither the ledger nor CodePipeline. A worker that adopts such a job can't tell
//!   the difference.
//! - With two, all properties but two hold. The work outside of a failed job may run on, if two workers die before they stop it.
//!   And an action may start although its job is not in progress. There are two such cases. No worker had acknowledged the job. That does no harm: no other worker runs it, a worker that is offered it vouches, the
//!   report is accepted, and only then the entry becomes done. Or, with `onCrash: run`, a worker reported the job, could not
//!   record that, and died. Then the action runs once more.
//! - Each rule is needed: without it a property breaks, with the first service.
//!
//! That every acknowledged job is reported *in the end* means two things. When nothing more can happen that changes a state, every
//! acknowledged job has been reported (`is_stuck`). And nothing happens over and over (`circles`). So after the last mishap, every
//! order of events leads to the report.
//!
//! **What is assumed about time**, in units of 30 s (the numbers of `protocol::limits`). The program enforces the first three.
//! - A worker takes less than 30 s from a poll to holding or leaving the job (`intake`). So when a claim or a mark is 30 s old,
//!   every worker that was offered the job before it has arrived.
//! - The lease of a `held` or `reporting` entry has expired only when its worker is dead and its last request has arrived. The
//!   watchdog ends the process at its deadline, and the lease lasts 10 s longer.
//! - A worker marks a claim only if its empty poll came when the claim was 90 s old. It relies on a mark only if its empty poll
//!   came when the mark was 30 s old (`orphan`).
//! - CodePipeline offers a job again less than 60 s after the offer. A slower service costs the first property one mishap, and no
//!   other: `a_service_that_re_offers_slowly_needs_older_claims`.
//!
//! **What is not shown**:
//! - three or more mishaps of a polled job, and what the table leaves out
//! - that people delete the ledger's objects
//! - what follows when the fourth report of a job that is not in progress is refused (its entry becomes done in any case)
//! - one of two jobs while the other is on offer and no poll is left to bring it
#![allow(unreachable_pub, reason = "the modules of a test are its own")]

mod circles;
mod moves;
mod rules;
mod service;
mod store;
mod trace;
mod worker;
mod world;

use codepipeline_worker::lifecycle::protocol::Afterwards;

use self::rules::{Adoption, Faults, ON_OFFER_AGAIN, Rules, Service, Setting};
use self::service::broken;
use self::trace::{breaks, goes_round, holds};
use self::world::Budget;

const NO_MISHAP: (u8, u8) = (0, 0);
const ONE_DIES: (u8, u8) = (1, 0);
const ONE_FAULT: (u8, u8) = (0, 1);
const BOTH: (u8, u8) = (1, 1);

/// Three workers, one job, and as many polls.
fn setting((crashes, faults): (u8, u8), polls: u8) -> Setting {
    Setting {
        service: Service::ALL[0],
        rules: Rules::ALL,
        faults: Faults::ALL,
        afterwards: Afterwards::Fail,
        workers: 3,
        jobs: 1,
        invoked: false,
        lenient: false,
        stranger: false,
        may_hang: false,
        outside: false,
        together: false,
        budget: Budget { crashes, faults, polls, invocations: 0 },
    }
}

fn invoked((crashes, faults): (u8, u8)) -> Setting {
    let budget = Budget { crashes, faults, polls: 0, invocations: 2 };
    Setting { invoked: true, budget, ..setting(NO_MISHAP, 0) }
}

/// Whether the larger budgets are checked.
fn is_large() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    std::env::var_os("MODEL").is_some_and(|value| value == "large")
}

fn for_each_service(what: &str, setting: Setting) {
    for service in Service::ALL {
        holds(what, Setting { service, ..setting });
    }
}

#[test]
fn with_one_mishap_three_workers_keep_every_property() {
    let polls = if is_large() { 4 } else { 3 };
    for_each_service("three workers", setting(ONE_DIES, polls));
    for_each_service("three workers", setting(ONE_FAULT, polls));
}

#[test]
fn with_one_mishap_an_action_runs_again_only_after_it() {
    let run = |mishap| Setting { afterwards: Afterwards::Run, ..setting(mishap, 3) };
    for_each_service("onCrash run", run(ONE_DIES));
    if is_large() {
        for_each_service("onCrash run", run(ONE_FAULT));
    } else {
        holds("onCrash run", run(ONE_FAULT));
    }
}

#[test]
fn with_one_mishap_two_jobs_keep_every_property() {
    let two = |mishap, polls| Setting { workers: 2, jobs: 2, ..setting(mishap, polls) };
    for_each_service("two jobs", two(ONE_DIES, 3));
    if is_large() {
        for_each_service("two jobs", two(ONE_FAULT, 4));
    } else {
        for_each_service("two jobs", two(ONE_FAULT, 2));
    }
}

/// An invocation polls for the next job while it reports the last one, so its death may hit both. Two workers and another one.
#[test]
fn the_death_of_two_jobs_workers_is_one_mishap() {
    let together = |mishaps, polls| Setting { together: true, jobs: 2, ..setting(mishaps, polls) };
    for afterwards in [Afterwards::Fail, Afterwards::Run] {
        let one = Setting { afterwards, ..together(ONE_DIES, 3) };
        let two = Setting { afterwards, lenient: true, ..together(BOTH, 2) };
        if is_large() {
            for_each_service("two jobs of one invocation", one);
            for_each_service("two jobs of one invocation", two);
        } else {
            holds("two jobs of one invocation", one);
            holds("two jobs of one invocation", two);
        }
    }
}

#[test]
fn with_two_mishaps_an_unacknowledged_run_does_no_harm() {
    let lenient = |mishaps, polls| Setting { lenient: true, ..setting(mishaps, polls) };
    if is_large() {
        for_each_service("two mishaps", lenient(BOTH, 4));
        for_each_service("two mishaps", lenient((2, 0), 4));
        for_each_service("two mishaps", lenient((0, 2), 3));
    } else {
        for_each_service("two mishaps", lenient(BOTH, 2));
        for_each_service("two mishaps", lenient((2, 0), 3));
    }
    breaks("a second mishap", setting((2, 0), 4), &[broken::NOT_IN_PROGRESS]);
}

#[test]
fn with_two_mishaps_reruns_and_two_jobs_do_no_harm() {
    let lenient = |mishaps, polls| Setting { lenient: true, ..setting(mishaps, polls) };
    for (mishaps, polls) in [(BOTH, 2), ((2, 0), 3)] {
        let run = Setting { afterwards: Afterwards::Run, ..lenient(mishaps, polls) };
        let two = Setting { workers: 2, jobs: 2, ..lenient(mishaps, polls) };
        for (what, setting) in [("two mishaps, onCrash run", run), ("two mishaps, two jobs", two)] {
            if is_large() {
                for_each_service(what, setting);
            } else {
                holds(what, setting);
            }
        }
    }
}

#[test]
fn a_service_that_re_offers_slowly_needs_older_claims() {
    let slow = Service { offers_again_after: 2, ..Service::ALL[0] };
    let lenient = |mishap| Setting { service: slow, lenient: true, ..setting(mishap, 4) };
    breaks(
        "90 s where offers take 60 s",
        Setting { service: slow, ..setting(ONE_DIES, 4) },
        &[broken::NOT_IN_PROGRESS],
    );
    holds("90 s where offers take 60 s", lenient(ONE_DIES));
    let rules = Rules { adoption: Adoption::Marked(ON_OFFER_AGAIN + 1), ..Rules::ALL };
    holds("120 s where offers take 60 s", Setting { rules, service: slow, ..setting(ONE_DIES, 4) });
}

#[test]
fn a_job_that_is_invoked_twice_runs_once() {
    holds("invoked twice", invoked(BOTH));
    let run = |mishaps| Setting { afterwards: Afterwards::Run, ..invoked(mishaps) };
    for mishap in [ONE_DIES, ONE_FAULT] {
        holds("invoked twice, onCrash run", run(mishap));
    }
    // A worker reports the job, can't record that, and dies. Then the job runs once more.
    breaks("invoked twice, onCrash run, two mishaps", run(BOTH), &[broken::NOT_IN_PROGRESS]);
    holds("invoked twice, onCrash run, two mishaps", Setting { lenient: true, ..run(BOTH) });
    if is_large() {
        holds("invoked twice", invoked((2, 2)));
    }
}

/// Actions that start work outside, and fail or continue.
fn outside(mishaps: (u8, u8), polls: u8) -> Setting {
    Setting { outside: true, ..setting(mishaps, polls) }
}

#[test]
fn with_one_mishap_the_work_of_a_failed_job_is_stopped() {
    for mishap in [ONE_DIES, ONE_FAULT] {
        let run = Setting { afterwards: Afterwards::Run, ..outside(mishap, 2) };
        for (what, setting) in [("work outside", outside(mishap, 2)), ("work outside, onCrash run", run)] {
            for_each_service(what, setting);
        }
        holds("work outside, invoked", Setting { outside: true, ..invoked(mishap) });
    }
}

#[test]
fn with_two_mishaps_no_work_is_stopped_that_a_later_job_needs() {
    let mishaps = if is_large() { vec![BOTH, (2, 0), (0, 2)] } else { vec![BOTH, (2, 0)] };
    for mishaps in mishaps {
        for afterwards in [Afterwards::Fail, Afterwards::Run] {
            let lenient = |setting| Setting { lenient: true, afterwards, ..setting };
            holds("work outside, two mishaps", lenient(outside(mishaps, 2)));
            let twice = Setting { outside: true, ..invoked(mishaps) };
            holds("work outside, invoked, two mishaps", lenient(twice));
        }
    }
    // The first worker dies before it stops the work, and so does the one that sends its report again.
    breaks("work outside, two deaths", outside((2, 0), 2), &[broken::NOT_IN_PROGRESS, broken::RUNS_ON]);
}

fn without(rules: Rules, mishaps: (u8, u8), polls: u8) -> Setting {
    Setting { rules, ..setting(mishaps, polls) }
}

#[test]
fn without_the_mark_a_job_of_a_living_worker_runs() {
    let unmarked = Rules { adoption: Adoption::Unmarked(ON_OFFER_AGAIN), ..Rules::ALL };
    breaks("no mark", without(unmarked, ONE_DIES, 3), &[broken::NOT_IN_PROGRESS]);
    let young = Rules { adoption: Adoption::Marked(ON_OFFER_AGAIN - 1), ..Rules::ALL };
    breaks("a mark after 60 s", without(young, ONE_DIES, 4), &[broken::NOT_IN_PROGRESS]);
}

#[test]
fn a_claim_adopted_early_may_be_a_living_workers() {
    let any_time = Rules { adoption: Adoption::AnyTime, ..Rules::ALL };
    breaks("adoption at any time", without(any_time, NO_MISHAP, 2), &[broken::NOT_IN_PROGRESS]);
}

#[test]
fn an_action_that_does_not_wait_for_the_hold_runs_twice() {
    let hasty = Rules { waits_for_hold: false, ..Rules::ALL };
    breaks("an early action", without(hasty, ONE_FAULT, 3), &[broken::RAN_TWICE]);
    let expected = [broken::NOT_IN_PROGRESS, broken::TWO_RUN, broken::RAN_TWICE];
    breaks("an early action, invoked", Setting { rules: hasty, ..invoked(NO_MISHAP) }, &expected);
}

#[test]
fn without_a_read_a_worker_mistakes_its_own_write() {
    let blind = Rules { read_back: false, ..Rules::ALL };
    breaks("no read-back", without(blind, ONE_FAULT, 3), &[broken::FAILED]);
}

#[test]
fn without_memory_a_worker_mistakes_its_acknowledgement() {
    let hidden = Rules { visible_retry: false, ..Rules::ALL };
    breaks("a hidden retry", without(hidden, ONE_FAULT, 3), &[broken::STUCK]);
}

#[test]
fn an_unconditional_delete_hits_another_entry() {
    let blind = Rules { conditional_delete: false, ..Rules::ALL };
    breaks("a blind delete", Setting { lenient: true, ..without(blind, BOTH, 2) }, &[broken::STUCK]);
}

#[test]
fn without_the_done_mark_a_late_claim_outlives_its_job() {
    let unmarked = Rules { mark_done: false, ..Rules::ALL };
    breaks("no mark of the done", without(unmarked, ONE_DIES, 3), &[broken::NOT_IN_PROGRESS]);
}

#[test]
fn without_its_own_id_an_invocation_adopts_a_living_one() {
    let same = Rules { fresh_id: false, ..Rules::ALL };
    let fails = without(same, NO_MISHAP, 2);
    breaks("one id for two", fails, &[broken::FAILED, broken::HOLD_LOST]);
    let runs = Setting { afterwards: Afterwards::Run, ..fails };
    breaks("one id for two, onCrash run", runs, &[broken::TWO_RUN]);
}

#[test]
fn without_vouching_a_job_is_offered_for_ever() {
    let silent = Rules { vouching: false, ..Rules::ALL };
    let setting = Setting { lenient: true, ..without(silent, (2, 0), 4) };
    breaks("no vouching", setting, &[broken::LEFT]);
}

#[test]
fn without_a_second_report_an_unfinished_job_ends() {
    let hasty = Rules { untaken: false, ..Rules::ALL };
    breaks("done although refused", Setting { lenient: true, ..without(hasty, BOTH, 2) }, &[broken::DONE]);
}

#[test]
fn without_adoption_a_dead_workers_job_hangs() {
    let idle = Rules { adopts: false, ..Rules::ALL };
    breaks("no adoption", without(idle, ONE_DIES, 3), &[broken::STUCK]);
    breaks("no adoption, invoked", Setting { rules: idle, ..invoked(ONE_DIES) }, &[broken::STUCK]);
}

#[test]
fn an_adopted_report_must_be_sent() {
    let silent = Rules { sends_adopted: false, ..Rules::ALL };
    goes_round("no adopted report sent", without(silent, ONE_DIES, 3));
    goes_round("no adopted report sent, invoked", Setting { rules: silent, ..invoked(ONE_DIES) });
}

#[test]
fn stopping_after_the_mark_leaves_work_running() {
    let late = Rules { stops_before_done: false, ..Rules::ALL };
    breaks("stopped after the mark", Setting { rules: late, ..outside(ONE_DIES, 2) }, &[broken::RUNS_ON]);
}

#[test]
fn a_refused_adopted_report_must_stop_the_work() {
    let leaves = Rules { stops_adopted: false, ..Rules::ALL };
    breaks("an adopted failure", Setting { rules: leaves, ..outside(ONE_DIES, 2) }, &[broken::RUNS_ON]);
}

#[test]
fn a_refusal_is_not_always_an_abandonment() {
    let hasty = Rules { leaves_others: false, ..Rules::ALL };
    breaks("a refused adopter stops", Setting { rules: hasty, lenient: true, ..outside(BOTH, 2) }, &[broken::NEEDED]);
}

#[test]
fn beside_outside_workers_only_unmarked_claims_are_safe() {
    let stranger = |setting| Setting { stranger: true, ..setting };
    breaks("a stranger", stranger(setting(ONE_DIES, 3)), &[broken::NOT_IN_PROGRESS, broken::TWO_RUN]);
    // A job that is left to the stranger may hang, and only an alarm tells.
    let rules = Rules { adoption: Adoption::Never, ..Rules::ALL };
    let shared = Setting { may_hang: true, rules, ..stranger(setting(BOTH, 3)) };
    holds("a stranger on a type that is shared", shared);
}
