//! Workers killed at every step of a job's life.

use super::plan::Plan;
use super::rounds::Rounds;
use super::step::Step;
use super::verdict::{Figures, verdict};

/// How many workers `cargo test` kills.
const KILLS: u32 = 20;

/// The seed of the worlds. The moments of the kills differ each time (see [`Plan`]).
const SEED: u64 = 1;

/// With so many kills, every step must have killed a worker, and a job must have been adopted. A run without these has
/// not tested them.
const ENOUGH: u32 = 200;

/// How many workers are killed in one world. The next world has other properties.
const IN_A_WORLD: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_killed_and_every_job_ends_once() {
    let kills = number("KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("KILLS_SEED").unwrap_or(SEED);
    println!("KILLS={kills} KILLS_SEED={seed}");
    let mut plan = Plan::new(seed);
    let mut all = Figures::default();
    let missed =
        |plan: &Plan| -> Vec<_> { Step::ALL.into_iter().filter(|step| !plan.by_step().contains_key(step)).collect() };
    // The rarest steps happen a few times in 200 kills, and sometimes not at all. Then the test kills as many again.
    while plan.kills() < kills || (kills >= ENOUGH && plan.kills() < 2 * kills && !missed(&plan).is_empty()) {
        let mut rounds = Rounds::start(&mut plan).await;
        let left = if plan.kills() < kills { kills } else { 2 * kills } - plan.kills();
        let until = plan.kills() + left.min(IN_A_WORLD);
        rounds.kill(&mut plan, until).await;
        rounds.settle(&mut plan).await;
        let (broken, figures) = verdict(&rounds, &plan).await;
        println!("{} killed so far; in this world: {figures}", plan.kills());
        if !broken.is_empty() {
            let lines = rounds.scenario.lines.lock().unwrap().join("\n");
            panic!("{lines}\n\n{}\n\nKILLS={kills} KILLS_SEED={seed}", broken.join("\n"));
        }
        all += figures;
    }
    println!("{} workers killed (KILLS_SEED={seed}): {:?}\nin all: {all}", plan.kills(), plan.by_step());
    if kills >= ENOUGH {
        let missed = missed(&plan);
        assert!(missed.is_empty(), "KILLS={kills} KILLS_SEED={seed}: no worker was killed at {missed:?}");
        assert!(all.adoptions > 0, "KILLS={kills} KILLS_SEED={seed}: no job was adopted");
    }
}

#[expect(clippy::disallowed_methods, reason = "the caller of the test chooses how many workers are killed, and how")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}
