//! Ends the process when an invocation's deadline comes and it is not over: an action that blocks its thread can't be
//! cancelled, and whoever else adopts the job relies on it that nothing is done or sent after the deadline.
//!
//! Lambda ends the process then as well; an emulator may not. The time is the machine's monotonic clock, which stands still
//! while the machine itself is suspended.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A thread that waits for deadlines. It is no task, because those may all be blocked.
pub(crate) struct Watchdog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// When the invocations that are under way must be over.
    deadlines: Mutex<Vec<(u64, Instant)>>,
    changed: Condvar,
}

/// An invocation that is under way; it is over when this is dropped.
pub(crate) struct Watched {
    shared: Arc<Shared>,
    number: u64,
}

impl Watchdog {
    /// Starts the thread. `bite` ends the process; it is called once, and the thread ends with it.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(bite: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watching = Arc::clone(&shared);
        thread::Builder::new().name("watchdog".into()).spawn(move || {
            watching.wait();
            bite();
        })?;
        Ok(Self(shared))
    }

    /// Watches an invocation that has so much time left.
    pub(crate) fn watch(&self, left: Duration) -> Watched {
        let mut deadlines = self.0.lock();
        let number = deadlines.last().map_or(0, |(last, _)| last + 1);
        deadlines.push((number, now() + left));
        self.0.changed.notify_all();
        Watched { shared: Arc::clone(&self.0), number }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.shared.lock().retain(|(number, _)| *number != self.number);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Nothing here can panic while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Instant)>> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a deadline has come.
    fn wait(&self) {
        let mut deadlines = self.lock();
        loop {
            let Some(next) = deadlines.iter().map(|(_, deadline)| *deadline).min() else {
                deadlines = self.changed.wait(deadlines).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = next.saturating_duration_since(now());
            if left.is_zero() {
                return;
            }
            deadlines = self.changed.wait_timeout(deadlines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The machine's own time: this thread knows of no runtime whose clock a test could pause.
#[expect(clippy::disallowed_methods, reason = "the watchdog waits beside the runtime and not in it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{TryRecvError, channel};

    use super::*;

    #[test]
    fn the_first_deadline_that_comes_ends_the_process() {
        let (bitten, bites) = channel();
        let watchdog = Watchdog::start(move || bitten.send(()).unwrap()).unwrap();
        let _long = watchdog.watch(Duration::from_secs(3600));
        let _short = watchdog.watch(Duration::from_millis(1));
        bites.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn an_invocation_that_is_over_in_time_is_left_alone() {
        let (bitten, bites) = channel();
        let watchdog = Watchdog::start(move || bitten.send("bitten").unwrap()).unwrap();
        let other = watchdog.watch(Duration::from_secs(3600));
        drop(watchdog.watch(Duration::from_secs(30)));
        assert_eq!(bites.try_recv(), Err(TryRecvError::Empty));
        let deadlines = watchdog.0.lock().clone();
        assert_eq!(deadlines.len(), 1, "only the other one is watched");
        drop(other);
        assert!(watchdog.0.lock().is_empty());
    }
}
