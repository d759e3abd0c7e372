//! What happens when. All that workers share (services, the network, Lambda) changes only here, one thing at a time.
//!
//! tokio moves its paused clock only when every task waits and no blocking work is under way. The agenda waits by that
//! clock before each thing, at least a millisecond: whatever the last thing has led to has come to rest by then, on
//! whichever thread it was. What is due at the same moment happens in the order of its names. So a seed's story does not
//! depend on how the machine schedules threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::random::hash;
use crate::world::World;
use crate::{Guarded, lambda, lock};

/// Something that happens.
type Happening = Box<dyn FnOnce(&Arc<World>) + Send>;

/// When, its name, and a number for names that are not unique.
type Entry = (u64, String, u32);

/// The things to come.
#[derive(Default)]
pub(crate) struct Agenda {
    entries: Guarded<BTreeMap<Entry, Happening>>,
    changed: Notify,
}

impl Agenda {
    /// Enters something for the moment, in milliseconds since the beginning.
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

    /// Forgets what has not happened.
    pub(crate) fn clear(&self) {
        std::mem::take(&mut *lock(&self.entries));
    }
}

/// Makes things happen until there are none to come before the moment `until`, and no invocation is under way.
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
        // What the worker and its SDK draw (jitter, write ids) follows from what has woken them.
        fastrand::seed(world.seed ^ hash(name.as_bytes()));
        happening(world);
    }
}
