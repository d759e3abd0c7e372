//! Checks that everything comes to an end. Workers could, for example, adopt an entry one after the other and never report it. The
//! checker's `always` sees no such circle, and its `eventually` misses some. So this module searches for them, depth first.
//!
//! Mishaps, polls and invocations come from a budget, so no circle contains one. Without a circle, everything after the last of
//! them comes to an end in every order, and `is_stuck` judges each end. A move that changes nothing is not a circle.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use stateright::Model as _;

use super::moves::Move;
use super::rules::Setting;
use super::world::World;

/// A state on the way, and what has not been tried there yet.
struct Place {
    world: World,
    name: u64,
    moves: Vec<Move>,
}

impl Place {
    fn new(setting: &Setting, world: World, name: u64) -> Self {
        let mut moves = Vec::new();
        setting.actions(&world, &mut moves);
        Self { world, name, moves }
    }
}

/// Where a circle leads from its first state back to it.
pub fn find(setting: &Setting) -> Option<Vec<(World, Move)>> {
    // Whether a state is on the way: otherwise, what follows from it has been looked at.
    let mut known = HashMap::new();
    for first in setting.init_states() {
        let name = name(&first);
        known.insert(name, true);
        let mut way = vec![Place::new(setting, first, name)];
        let mut did = Vec::new();
        while let Some(here) = way.last_mut() {
            let Some(what) = here.moves.pop() else {
                known.insert(here.name, false);
                way.pop();
                did.pop();
                continue;
            };
            let Some(next) = setting.next_state(&here.world, what) else { continue };
            let name = self::name(&next);
            if name == here.name {
                continue;
            }
            match known.get(&name) {
                None => {
                    known.insert(name, true);
                    way.push(Place::new(setting, next, name));
                    did.push(what);
                }
                Some(true) => {
                    let from = way.iter().position(|place| place.name == name).expect("it is on the way");
                    did.push(what);
                    return Some(way.into_iter().map(|place| place.world).zip(did).skip(from).collect());
                }
                Some(false) => {}
            }
        }
    }
    None
}

fn name(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}
