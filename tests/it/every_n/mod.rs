//! Fails every request of a worker once, in every way. Each time, every job must end as it would have, exactly once.
//! The worker also dies at every request, before and after it takes effect. Each time, another worker must report every
//! job once.
//!
//! A scenario runs once to count its requests to CodePipeline, S3 (artifacts and ledger), Step Functions and Secrets
//! Manager. Then it runs again for each request and each kind of fault. Some scenarios repeat only the requests that
//! the others don't have. A failure names its run, and `EVERY_N=custom:10:lose-answer cargo test --test it every_n::`
//! repeats that run.

mod checks;
mod process;
mod scenario;
mod stage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::scenario::Scenario;
use self::wire::Kind;
use crate::support::children::Children;

/// How many runs overlap. Most of them wait for a response that does not come.
const AT_A_TIME: usize = 48;

/// How long a run may take before it fails. A run takes seconds, or minutes if a response does not come.
const LONGEST: Duration = Duration::from_secs(600);

/// One run: a scenario, the request that fails, and how it fails.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    scenario: Scenario,
    fault: Option<(usize, Kind)>,
}

impl Case {
    /// The name for `EVERY_N`.
    fn name(&self) -> String {
        let Some((number, kind)) = self.fault else { return self.name.to_owned() };
        let kind = Kind::ALL.iter().find(|(_, known)| *known == kind).unwrap().0;
        format!("{}:{number}:{kind}", self.name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_request_leaves_each_job_with_its_one_result() {
    let _children = Children::of_commands();
    let only = only();
    let mut cases = Vec::new();
    for (name, scenario) in Scenario::ALL {
        let counted = Case { name, scenario, fault: None };
        let passed = stage::run(scenario, None).await;
        let passed = passed.unwrap_or_else(|wrong| panic!("{name}, without a fault: {wrong}"));
        println!("{name}: {} requests", passed.len());
        for (number, request) in passed.iter().enumerate() {
            println!("  {:3} {}", number + 1, request.what);
            if !scenario.strikes(&request.what) {
                continue;
            }
            cases.extend(Kind::ALL.map(|(_, kind)| Case { fault: Some((number + 1, kind)), ..counted }));
        }
    }
    if let Some(only) = &only {
        cases.retain(|case| case.name() == *only || case.name().starts_with(&format!("{only}:")));
        assert!(
            !cases.is_empty(),
            "EVERY_N={only} names no run: write SCENARIO, SCENARIO:NUMBER or SCENARIO:NUMBER:KIND"
        );
    }
    // An upload waits a minute for its answer, so those whose answer does not come begin first.
    cases.sort_by_key(|case| case.fault.is_some_and(|(_, kind)| !kind.withholds_the_answer()));
    let number = cases.len();
    let failures = run_all(cases).await;
    println!("{number} runs, each with one request that goes wrong; {} of them did not end well", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn run_all(cases: Vec<Case>) -> Vec<String> {
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut runs = JoinSet::new();
    for case in cases {
        let room = Arc::clone(&room);
        runs.spawn(async move {
            let _room = room.acquire_owned().await.unwrap();
            // A separate task, so that a panic fails only this run.
            let run = tokio::spawn(timeout(LONGEST, stage::run(case.scenario, case.fault)));
            let ended = run.await.unwrap_or_else(|error| Ok(Err(error.to_string())));
            let ended = ended.unwrap_or_else(|_| Err(format!("still running after {} s", LONGEST.as_secs())));
            ended.err().map(|wrong| format!("{}: {wrong}", case.name()))
        });
    }
    let mut failures: Vec<_> = runs.join_all().await.into_iter().flatten().collect();
    failures.sort_unstable();
    failures
}

#[expect(clippy::disallowed_methods, reason = "the caller of the test chooses the runs")]
fn only() -> Option<String> {
    std::env::var("EVERY_N").ok()
}
