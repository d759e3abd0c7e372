//! Runs the checker, and shows how a property breaks.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model, Path};
use tokio::time::Instant;

use crate::moves::Move;
use crate::rules::Setting;
use crate::world::{Part, World};

/// Looks at everything that can happen, and prints how many states there are. Panics with the shortest way to what must not
/// be.
#[track_caller]
pub fn holds(what: &str, setting: Setting) {
    let began = Instant::now();
    let checker = setting.checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let (states, service) = (checker.unique_state_count(), setting.service);
    println!("{states:>9} states, {:>5.1} s: {what}, {}, {service}", began.elapsed().as_secs_f32(), setting.budget);
    if let Some(broken) = checker.discoveries().into_keys().next() {
        panic!("{what}, {}, {service}: it does not hold that {broken}:\n{}", setting.budget, shortest(setting, broken));
    }
}

/// Looks until each of `expected` has broken. Panics if one of them never does, or if another property breaks on the way.
#[track_caller]
pub fn breaks(what: &str, setting: Setting, expected: &[&'static str]) {
    let began = Instant::now();
    let expected: BTreeSet<_> = expected.iter().copied().collect();
    // With one thread, the way is the same each time.
    let all = HasDiscoveries::AllOf(expected.clone());
    let checker = setting.checker().threads(1).finish_when(all).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{states:>9} states, {:>5.1} s: {what}: {expected:?} breaks", began.elapsed().as_secs_f32());
    let broken: BTreeSet<_> = checker.discoveries().into_keys().collect();
    assert_eq!(broken, expected, "{what} breaks other properties (left) than expected (right)");
}

fn shortest(setting: Setting, broken: &'static str) -> String {
    (1..)
        .find_map(|depth| {
            let checker = setting.checker().target_max_depth(depth).spawn_bfs().join();
            checker.discovery(broken).map(lines)
        })
        .unwrap_or_default()
}

fn lines(path: Path<World, Move>) -> String {
    let lines = path.into_vec().into_iter().filter_map(|(world, did)| did.map(|did| line(&world, did)));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(world: &World, did: Move) -> String {
    match did {
        Move::Step(i, _) | Move::Die(i) | Move::DieSending(i) => match &world.workers[i].part {
            Part::On(task) => format!("  {did:?} at {:?}", task.state),
            other => format!("  {did:?} at {other:?}"),
        },
        _ => format!("  {did:?}"),
    }
}
