//! Workers killed at every step of a job's life.

use std::time::UNIX_EPOCH;

use crate::plan::Plan;
use crate::rounds::Rounds;
use crate::verdict::{Figures, verdict};

/// So many are killed in `cargo test`.
const KILLS: u32 = 20;

/// So many are killed in one world; then there is another, of which other things are unknown.
const IN_A_WORLD: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_killed_and_every_job_ends_once() {
    let kills = number("KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("KILLS_SEED").unwrap_or_else(time_of_day);
    println!("KILLS={kills} KILLS_SEED={seed}");
    let mut plan = Plan::new(seed);
    let mut all = Figures::default();
    while plan.kills() < kills {
        let mut rounds = Rounds::start(&mut plan).await;
        let until = kills.min(plan.kills() + IN_A_WORLD);
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
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how many are to be killed, and how")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// Each run is another one.
#[expect(clippy::disallowed_methods, reason = "a seed is printed, so nothing depends on it unseen")]
fn time_of_day() -> u64 {
    u64::from(std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_micros())
}
