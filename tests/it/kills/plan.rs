//! When a worker is killed: at random, but so that every step gets its share.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

use super::step::Step;

/// The moment within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Moment {
    /// The request never reaches the server.
    Before,
    /// The request takes effect, and its response does not arrive.
    Unanswered,
    /// The response is sent.
    Answered,
    /// So long after the step, or the invocation, began.
    After(Duration),
}

/// Rare steps. A trap at one of them mostly waits without result.
const RARE: [Step; 4] = [Step::Mark, Step::Adopt, Step::Sweep, Step::Delete];

/// One way to die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trap {
    pub(crate) step: Step,
    pub(crate) moment: Moment,
    /// How many more times the step passes first.
    spared: u32,
    /// Rare steps that have not killed a worker yet. They kill too, so that none is missed.
    or_at: [Option<Step>; RARE.len()],
}

impl Trap {
    /// When the process must be killed, if it must be at this step.
    pub(crate) fn moment_at(&mut self, step: Step) -> Option<Moment> {
        if self.or_at.contains(&Some(step)) {
            return Some(if matches!(self.moment, Moment::After(_)) { Moment::Unanswered } else { self.moment });
        }
        if step != self.step {
            return None;
        }
        match self.spared.checked_sub(1) {
            Some(left) => {
                self.spared = left;
                None
            }
            None => Some(self.moment),
        }
    }
}

/// Chooses traps, and counts the kills by step.
///
/// A seed fixes the properties of each world's service, and the random numbers for everything else. It does not fix how
/// these are used: that depends on the kills so far, and these on a race between the processes.
pub(crate) struct Plan {
    rng: Rng,
    worlds: Rng,
    world: usize,
    kills: BTreeMap<Step, u32>,
    laid: BTreeMap<Step, u32>,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut worlds = rng.fork();
        let world = worlds.usize(..);
        Self { rng, worlds, world, kills: BTreeMap::new(), laid: BTreeMap::new() }
    }

    /// One of the traps that have killed, and have been set, least often.
    pub(crate) fn trap(&mut self, is_invoked: bool) -> Trap {
        let steps = if is_invoked { &Step::OF_INVOKED[..] } else { &Step::ALL[..] };
        let count = |counts: &BTreeMap<Step, u32>, step| counts.get(&step).copied().unwrap_or(0);
        let weight = |step| 4 * count(&self.kills, step) + count(&self.laid, step);
        let least = steps.iter().copied().map(weight).min().unwrap_or(0);
        let candidates: Vec<_> = steps.iter().copied().filter(|step| weight(*step) <= least + 2).collect();
        let step = candidates[self.rng.usize(..candidates.len())];
        *self.laid.entry(step).or_default() += 1;
        let moment = match step {
            Step::Anytime => Moment::After(Duration::from_millis(self.rng.u64(..1500))),
            Step::Run => Moment::After(Duration::from_millis(self.rng.u64(..60))),
            _ => [Moment::Before, Moment::Unanswered, Moment::Answered][self.rng.usize(..3)],
        };
        // A rare step happens once.
        let spared = if RARE.contains(&step) || self.rng.bool() { 0 } else { self.rng.u32(..3) };
        let or_at = RARE.map(|rare| (!is_invoked && !self.kills.contains_key(&rare)).then_some(rare));
        Trap { step, moment, spared, or_at }
    }

    pub(crate) fn killed_in(&mut self, step: Step) {
        *self.kills.entry(step).or_default() += 1;
    }

    pub(crate) fn kills(&self) -> u32 {
        self.kills.values().sum()
    }

    pub(crate) fn by_step(&self) -> &BTreeMap<Step, u32> {
        &self.kills
    }

    /// The next world's number, and its random numbers. It always draws equally many.
    pub(crate) fn world(&mut self) -> (usize, &mut Rng) {
        self.world = self.world.wrapping_add(1);
        (self.world, &mut self.worlds)
    }

    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
}
