//! CodePipeline's throttling of polls: a token bucket for the account and region, as AWS describes it for its other APIs.

use crate::lock;
use crate::world::World;

/// The polls that CodePipeline still answers at this moment.
#[derive(Default)]
pub(crate) struct Bucket {
    /// `None` before the first poll.
    tokens: Option<f64>,
    at: u64,
}

impl Bucket {
    /// Takes a token at this moment, in milliseconds. Returns false if the bucket is empty.
    fn take(&mut self, rate: f64, burst: u32, now: u64) -> bool {
        let most = f64::from(burst);
        let refilled = now.saturating_sub(self.at) as f64 / 1000.0 * rate;
        let tokens = self.tokens.map_or(most, |tokens| (tokens + refilled).min(most));
        let taken = tokens >= 1.0;
        self.tokens = Some(if taken { tokens - 1.0 } else { tokens });
        self.at = now;
        taken
    }
}

/// Whether CodePipeline throttles this request. Only a load has a limit, and only for polls.
pub(crate) fn is_throttled(world: &World, operation: &str) -> bool {
    let Some(load) = world.lot.load.filter(|_| operation.starts_with("Poll")) else { return false };
    let mut meter = lock(&world.meter);
    meter.polls += 1;
    let taken = meter.bucket.take(load.poll_rate, load.poll_burst, world.clock.elapsed());
    meter.throttled += u64::from(!taken);
    !taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_answers_a_burst_and_then_its_rate() {
        let mut bucket = Bucket::default();
        let mut answered = |now| bucket.take(2.0, 3, now);
        assert_eq!([0, 0, 0, 0].map(&mut answered), [true, true, true, false]);
        assert_eq!([499, 500, 501, 999, 1000].map(&mut answered), [false, true, false, false, true]);
        assert_eq!([60_000, 60_000, 60_000, 60_000].map(&mut answered), [true, true, true, false]);
    }
}
