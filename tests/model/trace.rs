//! Shows how a property breaks.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::moves::Move;
use crate::rules::Setting;
use crate::world::{Part, World};

pub fn explore(setting: Setting) {
    let start = Instant::now();
    let checker = setting.checker().threads(2).finish_when(HasDiscoveries::All).spawn_bfs().join();
    println!("{:?}: {} states, {} transitions, depth {}, {:?}", setting.service, checker.unique_state_count(), checker.state_count(), checker.max_depth(), start.elapsed());
    let mut found: Vec<_> = checker.discoveries().into_keys().collect();
    found.sort_unstable();
    for what in found {
        for depth in 1.. {
            let checker = setting.checker().threads(2).target_max_depth(depth).spawn_bfs().join();
            if let Some(path) = checker.discovery(what) {
                println!("  BROKEN {what}:");
                for (world, did) in path.into_vec() {
                    if let Some(did) = did {
                        println!("     {}", line(&world, did));
                    } else { println!("     => {:?}", world); }
                }
                break;
            }
        }
    }
}

fn line(world: &World, did: Move) -> String {
    match did {
        Move::Step(i, _) | Move::Die(i) | Move::DieSending(i) => match &world.workers[i].part {
            Part::On(task) => format!("{did:?} at {:?}", task.state),
            other => format!("{did:?} at {other:?}"),
        },
        _ => format!("{did:?}"),
    }
}
