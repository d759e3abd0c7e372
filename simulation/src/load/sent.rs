//! An event that Lambda keeps until an invocation succeeds with it, for a limited time.

use serde_json::Value;

use crate::random::Random;

/// The pauses before Lambda sends the event of a failed invocation again (Lambda developer guide, "How Lambda handles errors and
/// retries with asynchronous invocation").
const RETRIES: [u64; 2] = [60_000, 120_000];

/// Lambda drops an event of this age: `MaximumEventAgeInSeconds` in template.yaml.
const LONGEST_AGE: u64 = 900_000;

/// An event, and how often Lambda has sent it. Times are simulated milliseconds.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) event: Value,
    /// How often the function's concurrency left no room for it.
    throttled: u32,
    /// How many invocations failed with it.
    failed: usize,
    /// When Lambda received it.
    since: u64,
}

impl Sent {
    /// An event that Lambda receives at `since`.
    pub(crate) fn new(event: Value, since: u64) -> Self {
        Self { event, throttled: 0, failed: 0, since }
    }

    /// The pause after a throttle. It doubles from a second to five minutes (the same page of the guide). `None` if Lambda drops the
    /// event.
    pub(super) fn throttled(&mut self, random: &mut Random, now: u64) -> Option<u64> {
        let limit = (1_000_u64 << self.throttled.min(9)).min(300_000);
        self.throttled += 1;
        self.in_time(random.range(limit / 2, limit), now)
    }

    /// The pause after a failed invocation. `None` if Lambda drops the event.
    pub(super) fn failed(&mut self, now: u64) -> Option<u64> {
        let pause = *RETRIES.get(self.failed)?;
        self.failed += 1;
        self.in_time(pause, now)
    }

    fn in_time(&self, pause: u64, now: u64) -> Option<u64> {
        (now + pause <= self.since + LONGEST_AGE).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> Random {
        Random::of(7, "sent")
    }

    #[test]
    fn throttled_event_is_dropped_after_900_seconds() {
        let (mut sent, mut random, mut now, mut tries) = (Sent::new(Value::Null, 5_000), random(), 5_000, 0);
        while let Some(pause) = sent.throttled(&mut random, now) {
            now += pause;
            tries += 1;
        }
        assert!((8..=15).contains(&tries) && (605_000..=905_000).contains(&now), "{tries} tries until {now}");
    }

    #[test]
    fn throttles_do_not_restart_the_count_of_failures() {
        let (mut sent, mut random) = (Sent::new(Value::Null, 0), random());
        assert_eq!(sent.failed(0), Some(60_000));
        assert!(sent.throttled(&mut random, 60_000).is_some());
        assert_eq!(sent.failed(62_000), Some(120_000));
        assert!(sent.throttled(&mut random, 182_000).is_some_and(|pause| (1_000..=2_000).contains(&pause)));
        assert_eq!(sent.failed(184_000), None);
    }
}
