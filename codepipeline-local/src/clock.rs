//! The emulator's time: the machine's clock, or one that a test moves.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::types::Timestamp;

/// A clock that the emulator reads and waits on.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine,
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The machine's clock.
    pub fn machine() -> Self {
        Self(Source::Machine)
    }

    /// The time of day, in milliseconds since the epoch.
    #[expect(clippy::disallowed_methods, reason = "the emulator's one place that reads the machine's time")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Machine => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(0).after(since)
            }
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// Waits until the moment. Never returns for `None`.
    pub async fn reached(&self, moment: Option<Timestamp>) {
        let Some(moment) = moment else { return std::future::pending().await };
        match &self.0 {
            Source::Machine => {
                // The sleep is monotonic and may end a little before the wall clock reaches the moment.
                while let Some(left) = moment.0.checked_sub(self.now().0).filter(|left| *left > 0) {
                    tokio::time::sleep(Duration::from_millis(left)).await;
                }
            }
            Source::Manual(time) => {
                // The sender lives in `self`, so this ends only when the moment has come.
                let _ = time.subscribe().wait_for(|now| *now >= moment).await;
            }
        }
    }
}

/// A clock that moves only on request.
#[derive(Clone)]
pub struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    /// Creates a clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(start)))
    }

    /// Moves the time forward and wakes the waits that end up to then.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = now.after(by));
    }

    /// How many waits are open. A test checks it before it moves the time.
    pub fn waiters(&self) -> usize {
        self.0.receiver_count()
    }

    /// The clock to give to the emulator.
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(Arc::clone(&self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wait_on_a_manual_clock_ends_at_its_moment() {
        let manual = ManualClock::new(Timestamp(1000));
        let clock = manual.clock();
        let waiting = tokio::spawn(async move { clock.reached(Some(Timestamp(3000))).await });
        manual.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        manual.advance(Duration::from_secs(1));
        waiting.await.unwrap();
    }
}
