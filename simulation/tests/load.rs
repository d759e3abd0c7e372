//! A load: no job is lost, none runs twice, and each job costs a known number of requests.

use std::time::Duration;

use simulation::{Load, Report, simulate_load};

/// Few jobs, with as many a minute as 10,000 in an hour. More polls are answered than the workers send.
const SMALL: Load =
    Load { jobs: 40, minutes: 1, poll_rate: 1000.0, poll_burst: 1000, concurrency: 1000, command_timeout: 600 };

/// Simulates the load and checks the promises that hold under every load.
fn measured(load: Load) -> Report {
    let report = simulate_load(7, load).expect("the simulation runs");
    assert_eq!(report.broken, Vec::<String>::new(), "{report}");
    assert_eq!((report.reported, report.runs), (load.jobs, load.jobs), "no job is lost, and none runs twice\n{report}");
    let of = |what: &str| report.ledger.get(what).copied().unwrap_or_default();
    assert_eq!(of("PUT"), 4 * load.jobs, "claiming, held, reporting and done\n{report}");
    assert!(of("LIST") >= report.ticks, "a tick lists the ledger\n{report}");
    assert_eq!(report.artifacts, [("GET".to_owned(), load.jobs), ("PUT".to_owned(), load.jobs)].into(), "{report}");
    assert_eq!(report.polls_with_job, load.jobs, "a command runs alone, so each poll brings one job\n{report}");
    report
}

#[test]
fn load_without_throttling_is_claimed_at_once() {
    let report = measured(SMALL);
    assert_eq!((report.throttled, report.failed_invocations, report.dropped_events), (0, 0, 0), "{report}");
    assert!(report.time_to_claim.median < Duration::from_millis(1_500), "{report}");
    assert!(report.time_to_claim.max < Duration::from_secs(62), "the next tick takes what no event brought\n{report}");
    // Each invocation sends at most ten polls for its event, and one after each job.
    let most = 11 * report.invocations;
    assert!((report.load.jobs..=most).contains(&report.polls), "{report}");
}

/// An invocation has time for one command, so it does not poll again after it.
#[test]
fn long_timeouts_save_polls() {
    let report = measured(Load { command_timeout: Load::default().command_timeout, ..SMALL });
    assert!(report.polls_per_job() < measured(SMALL).polls_per_job(), "{report}");
}

#[test]
fn throttled_polls_delay_jobs_and_lose_none() {
    let report = measured(Load { poll_rate: 1.0, poll_burst: 2, ..SMALL });
    assert!(report.throttled > report.load.jobs, "{report}");
    // A job needs a poll that is answered.
    assert!(report.took > Duration::from_secs(report.load.jobs - 2), "{report}");
    assert!(report.polls_per_job() > 2.0, "{report}");
}

#[test]
fn a_full_function_delays_jobs_and_loses_none() {
    let report = measured(Load { concurrency: 8, ..SMALL });
    assert_eq!(report.most_at_once, 8, "{report}");
    assert!(report.time_to_claim.median > measured(SMALL).time_to_claim.median, "{report}");
    // Eight at a time can't run the commands faster than this.
    assert!(report.took * 8 > report.commands, "{report}");
}

/// Lambda drops the events that wait for 15 minutes. Ticks poll for their jobs.
#[test]
fn jobs_of_dropped_events_are_not_lost() {
    let report = simulate_load(7, Load { concurrency: 1, ..SMALL }).expect("the simulation runs");
    assert_eq!(report.broken, Vec::<String>::new(), "{report}");
    assert_eq!((report.reported, report.runs), (report.load.jobs, report.load.jobs), "{report}");
    assert!(report.dropped_events > 0, "{report}");
}

#[test]
fn a_load_has_the_same_report_each_time() {
    let load = Load { jobs: 10, poll_rate: 1.0, poll_burst: 2, ..SMALL };
    let [one, other] = [(); 2].map(|()| measured(load).to_string());
    assert_eq!(one, other);
}
