//! Runs the checker, and prints how a property breaks.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};
use tokio::time::Instant;

use super::circles;
use super::moves::Move;
use super::rules::Setting;
use super::world::{Part, World};

/// Checks every order of events and prints the number of states. Panics with the shortest way to a broken property.
#[track_caller]
pub fn holds(what: &str, setting: Setting) {
    let began = Instant::now();
    let checker = setting.checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let (states, service) = (checker.unique_state_count(), setting.service);
    let seconds = began.elapsed().as_secs_f32();
    if let Some(broken) = checker.discoveries().into_keys().next() {
        panic!("{what}, {}, {service}: it does not hold that {broken}:\n{}", setting.budget, shortest(setting, broken));
    }
    if let Some(circle) = circles::find(&setting) {
        panic!("{what}, {}, {service}: this can happen over and over:\n{}", setting.budget, lines(circle));
    }
    let circles = began.elapsed().as_secs_f32() - seconds;
    println!("{states:>9} states, {seconds:>5.1} + {circles:>5.1} s: {what}, {}, {service}", setting.budget);
}

/// Searches for a circle. Panics without a circle, or if a property breaks as well.
#[track_caller]
pub fn goes_round(what: &str, setting: Setting) {
    let checker = setting.checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let broken: Vec<_> = checker.discoveries().into_keys().collect();
    assert!(broken.is_empty(), "{what} breaks {broken:?}");
    let circle = circles::find(&setting).unwrap_or_else(|| panic!("{what}: everything comes to an end"));
    println!("{:>9} states: {what}: goes round in {} steps", checker.unique_state_count(), circle.len());
}

/// Searches until each of the `expected` properties has broken. Panics if one never does, or if another one breaks.
#[track_caller]
pub fn breaks(what: &str, setting: Setting, expected: &[&'static str]) {
    let began = Instant::now();
    let expected: BTreeSet<_> = expected.iter().copied().collect();
    // With one thread, the search takes the same way each time.
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
            checker
                .discovery(broken)
                .map(|path| lines(path.into_vec().into_iter().filter_map(|(world, did)| Some((world, did?)))))
        })
        .unwrap_or_default()
}

fn lines(path: impl IntoIterator<Item = (World, Move)>) -> String {
    path.into_iter().map(|(world, did)| line(&world, did)).collect::<Vec<_>>().join("\n")
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
