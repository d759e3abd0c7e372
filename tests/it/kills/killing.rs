//! Workers killed at every step of a job's life.

use super::plan::Plan;
use super::rounds::Rounds;
use super::step::Step;
use super::verdict::{Figures, verdict};

/// So many are killed in `cargo test`.
const KILLS: u32 = 20;

/// What the service is like then, world after world. Who is killed when is different each time (see [`Plan`]).
const SEED: u64 = 1;

/// So many are enough for every step to kill, and for jobs that are taken over: a run that lacks one has not tested it.
const ENOUGH: u32 = 200;

/// So many are killed in one world; then there is another, of which other things are unknown.
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
    // The rarest steps come up a few times in 200 kills, and now and then not at all: then it goes on for as many again.
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
        assert!(missed.is_empty(), "KILLS={kills} KILLS_SEED={seed}: nobody was killed at {missed:?}");
        assert!(all.adoptions > 0, "KILLS={kills} KILLS_SEED={seed}: no job was taken over");
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how many are to be killed, and how")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}
