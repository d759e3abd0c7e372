//! Hours of overlapping invocations of the real worker, over the SDK's real clients, in some milliseconds.
//!
//! A seed draws a world: CodePipeline's undocumented behaviours, pipelines and their owners' actions, faults on the wire, and
//! the deaths of invocations. [`simulate`] runs the world and compares what happens with the worker's promises. The same seed
//! gives the same story, line by line.
//!
//! ```text
//! scenario (pipelines, schedule) ─▶ agenda ─▶ lambda ─▶ the real worker ─▶ work (its actions)
//!                                     ▲                      │ SDK clients
//!                                     └──── network ◀────────┘
//!                                              │ fate: faults            witness: the promises
//!                                              └▶ service: codepipeline (the emulator's engine), s3, secrets
//! ```
//!
//! Time, the network, Lambda and the services are simulated. tokio's paused clock is the time, also of the SDK. The worker is
//! real, with its retries and deadlines. So are the SDK's clients, the files in the work folder, and the emulator's engine.

mod agenda;
mod clock;
mod codepipeline;
mod cut;
mod fate;
mod lambda;
mod load;
mod lot;
mod network;
mod random;
mod s3;
mod scenario;
mod service;
mod trace;
mod witness;
mod work;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lot::Lot;
use world::World;

pub use load::{Load, Report, Spread};
pub use lot::Protection;
pub use witness::Figures;

/// A mutex that no code holds across an await.
type Guarded<T> = Mutex<T>;

fn lock<T>(guarded: &Guarded<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The story of one seed.
pub struct Story {
    /// The seed.
    pub seed: u64,
    /// The broken promises, in words. There should be none.
    pub broken: Vec<String>,
    /// What happened, line by line.
    pub trace: Vec<String>,
    /// How much happened.
    pub figures: Figures,
}

/// Runs a seed's world to its end. A panic of the simulation itself counts as a broken promise.
///
/// # Errors
///
/// When no folder for temporary files, or no runtime, can be created.
pub fn simulate(seed: u64, protection: Protection) -> std::io::Result<Story> {
    simulate_with(seed, Lot::draw(seed, protection), |_| {})
}

/// Runs a world to its end after `meddle` has changed it.
fn simulate_with(seed: u64, lot: Lot, meddle: impl FnOnce(&Arc<World>)) -> std::io::Result<Story> {
    trace::subscribe();
    let runtime = runtime()?;
    // The world's clock is the runtime's.
    let world = runtime.block_on(async { World::new(seed, lot) })?;
    let _capture = world.trace.capture();
    meddle(&world);
    let living = AssertUnwindSafe(|| runtime.block_on(live(&world)));
    if let Err(payload) = catch_unwind(living) {
        world.broken(format!("the simulation panicked: {}", said(payload.as_ref())));
    }
    world.agenda.clear();
    drop(lambda::clear(&world));
    Ok(story(&world))
}

/// A runtime whose clock is the simulation's.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // One thread for blocking work, so that it happens in order.
        .max_blocking_threads(1)
        .build()
}

/// Runs a load to its end.
///
/// # Errors
///
/// When no folder for temporary files, or no runtime, can be created.
pub fn simulate_load(seed: u64, load: Load) -> std::io::Result<Report> {
    let runtime = runtime()?;
    let world = runtime.block_on(async { World::new(seed, Lot::of(load)) })?;
    let report = runtime.block_on(load::run(&world, load));
    world.agenda.clear();
    drop(lambda::clear(&world));
    Ok(report)
}

/// The message of a panic.
fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

async fn live(world: &Arc<World>) {
    world.trace.line(format_args!("seed {}: {}", world.seed, world.lot.told()));
    if let Err(why) = scenario::set_up(world) {
        world.broken(format!("the simulation could not be set up: {why}"));
    }
    agenda::run(world, scenario::end_of_calm(world)).await;
    let lost = witness::nothing_hangs(world);
    scenario::all_over(world, lost);
    agenda::run(world, scenario::end(world)).await;
    scenario::all_forgotten(world);
    if world.trace.has_told_a_secret() {
        world.broken("a secret is in a worker's log".to_owned());
    }
    let mut witness = lock(&world.witness);
    let lambda = lock(&world.lambda);
    witness.figures.invocations = lambda.invocations.len() as u64;
    witness.figures.deaths = lambda.deaths();
    witness.figures.jobs = witness.jobs.len() as u64;
    witness.figures.simulated = world.clock.elapsed();
}

fn story(world: &World) -> Story {
    let mut witness = lock(&world.witness);
    Story {
        seed: world.seed,
        broken: std::mem::take(&mut witness.broken),
        trace: world.trace.take(),
        figures: witness.figures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_simulation_breaks_a_promise() {
        let lot = Lot::draw(7, Protection::Ledger);
        let panics = |world: &Arc<World>| world.after(60_000, "panic".to_owned(), |_| panic!("a mistake"));
        let story = simulate_with(7, lot, panics).expect("the simulation runs");
        assert_eq!(story.seed, 7);
        assert_eq!(story.broken, ["the simulation panicked: a mistake"]);
        assert!(story.trace.len() > 5 && story.trace[0].contains("seed 7"), "{:?}", story.trace);
    }
}
