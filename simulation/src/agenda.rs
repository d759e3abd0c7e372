//! The order of events. All that workers share (services, the network, Lambda) changes only here, one thing at a time.
//!
//! tokio moves its paused clock only when every task waits and no blocking work is under way. The agenda waits on that
//! clock before each event, for at least a millisecond. So every effect of the last event has come to rest by then, on
//! every thread. Events of the same moment happen in the order of their names. This makes a seed's story independent of
//! how the machine schedules threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::random::hash;
use crate::world::World;
use crate::{Guarded, lambda, lock};

/// An event of the simulation.
type Happening = Box<dyn FnOnce(&Arc<World>) + Send>;

/// The moment, the name, and a number for names that are not unique.
type Entry = (u64, String, u32);

/// The events to come.
#[derive(Default)]
pub(crate) struct Agenda {
    entries: Guarded<BTreeMap<Entry, Happening>>,
    changed: Notify,
}

impl Agenda {
    /// Adds an event at this moment, in milliseconds since the beginning.
    pub(crate) fn enter(&self, moment: u64, name: String, happening: impl FnOnce(&Arc<World>) + Send + 'static) {
        let mut entries = lock(&self.entries);
        let mut entry = (moment, name, 0);
        while entries.contains_key(&entry) {
            entry.2 += 1;
        }
        entries.insert(entry, Box::new(happening));
        self.changed.notify_one();
    }

    fn next(&self) -> Option<u64> {
        lock(&self.entries).first_key_value().map(|((moment, ..), _)| *moment)
    }

    fn take(&self, now: u64) -> Option<(String, Happening)> {
        let mut entries = lock(&self.entries);
        let first = entries.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, name, _), happening) = first.remove_entry();
        Some((name, happening))
    }

    /// Drops all events that have not happened.
    pub(crate) fn clear(&self) {
        std::mem::take(&mut *lock(&self.entries));
    }
}

/// Runs the events before the moment `until`, and more until no invocation is under way.
pub(crate) async fn run(world: &Arc<World>, until: u64) {
    while let Some(next) = world.agenda.next() {
        if next >= until && !lambda::is_busy(world) {
            break;
        }
        let now = world.clock.elapsed();
        tokio::select! {
            biased;
            () = world.agenda.changed.notified() => continue,
            () = sleep_until(world.clock.instant(next.max(now + 1))) => {}
        }
        let Some((name, happening)) = world.agenda.take(world.clock.elapsed()) else { continue };
        // The random numbers of the worker and its SDK (jitter, write ids) depend on the event that woke them.
        fastrand::seed(world.seed ^ hash(name.as_bytes()));
        happening(world);
    }
}
