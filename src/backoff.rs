//! Pauses between the tries of a call.

use std::time::Duration;

/// With less time left, nothing is tried again.
const TOO_LATE: Duration = Duration::from_millis(200);

/// Pauses of a random length, from nothing to a limit that doubles with each of them up to a longest one ("full jitter"; AWS
/// Architecture Blog, "Exponential Backoff And Jitter"): many who failed together do not come back together.
pub(crate) struct Backoff {
    limit: Duration,
    longest: Duration,
}

impl Backoff {
    /// The first pause is at most `first`, none is longer than `longest`.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { limit: first, longest }
    }

    /// How long to pause now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.limit.mul_f64(fastrand::f64());
        self.limit = self.limit.saturating_mul(2).min(self.longest);
        pause
    }

    /// How long to pause now if so much time is `left` in all: at most half of it, so that another try has the rest. `None` when
    /// it is too late for one.
    pub(crate) fn pause_within(&mut self, left: Duration) -> Option<Duration> {
        (left >= TOO_LATE).then(|| self.pause().min(left / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_pause_doubles_up_to_the_longest() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_millis(350));
        for _ in 0..100 {
            let mut backoff = Backoff::new(first, longest);
            for limit in [first, first * 2, longest, longest] {
                assert_eq!(backoff.limit, limit);
                assert!(backoff.pause() <= limit);
            }
        }
    }

    #[test]
    fn a_pause_leaves_half_of_the_time_for_another_try() {
        let mut backoff = Backoff::new(Duration::from_secs(3600), Duration::from_secs(3600));
        let left = Duration::from_secs(1);
        assert!((0..100).all(|_| backoff.pause_within(left).unwrap() <= left / 2));
        assert_eq!(backoff.pause_within(TOO_LATE - Duration::from_millis(1)), None);
    }

    #[test]
    fn pauses_differ() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        let pauses: std::collections::BTreeSet<_> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses.len() > 10, "{pauses:?}");
    }
}
