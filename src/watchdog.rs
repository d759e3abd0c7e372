//! Ends the process at the deadline of an invocation that has not returned. An action that blocks its thread can't be cancelled,
//! and a worker that adopts the job assumes that nothing is sent after the deadline.
//!
//! Lambda also ends the process then, but an emulator may not. The watchdog uses the machine's monotonic clock, which stops while
//! the machine is suspended.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A thread that waits for deadlines. It is not a task, because an action may block all threads of the runtime.
pub(crate) struct Watchdog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The deadlines of the invocations that run.
    deadlines: Mutex<Vec<(u64, Instant)>>,
    changed: Condvar,
}

/// An invocation that runs. Dropping this ends the watch.
pub(crate) struct Watched {
    shared: Arc<Shared>,
    number: u64,
}

impl Watchdog {
    /// Starts the thread. `bite` ends the process; it is called once, and the thread ends with it.
    ///
    /// # Errors
    /// Returns an error if the system can't start a thread.
    pub(crate) fn start(bite: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watching = Arc::clone(&shared);
        thread::Builder::new().name("watchdog".into()).spawn(move || {
            watching.wait();
            bite();
        })?;
        Ok(Self(shared))
    }

    /// Watches an invocation that has this much time left.
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
    /// No code here panics while it holds the lock, so a poisoned lock is still consistent.
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

/// The machine's own time. This thread belongs to no runtime, so no test pauses its clock.
#[expect(clippy::disallowed_methods, reason = "the watchdog is a thread outside the runtime")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{TryRecvError, channel};

    use super::*;

    #[test]
    fn the_first_deadline_ends_the_process() {
        let (bitten, bites) = channel();
        let watchdog = Watchdog::start(move || bitten.send(()).unwrap()).unwrap();
        let _long = watchdog.watch(Duration::from_secs(3600));
        let _short = watchdog.watch(Duration::from_millis(1));
        bites.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_finished_invocation_is_no_longer_watched() {
        let (bitten, bites) = channel();
        let watchdog = Watchdog::start(move || bitten.send("bitten").unwrap()).unwrap();
        let other = watchdog.watch(Duration::from_secs(3600));
        drop(watchdog.watch(Duration::from_secs(30)));
        assert_eq!(bites.try_recv(), Err(TryRecvError::Empty));
        let deadlines = watchdog.0.lock().clone();
        assert_eq!(deadlines.len(), 1, "only the other invocation is watched");
        drop(other);
        assert!(watchdog.0.lock().is_empty());
    }
}
