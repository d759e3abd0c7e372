//! The report of a load.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Load, MEAN_SECONDS};
use crate::scenario::LEDGER;
use crate::world::World;
use crate::{lock, witness};

/// How a quantity is spread over the jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Half of the jobs have at most this.
    pub median: Duration,
    /// 95 of 100 jobs have at most this.
    pub p95: Duration,
    /// 99 of 100 jobs have at most this.
    pub p99: Duration,
    /// The largest.
    pub max: Duration,
}

impl Spread {
    /// The spread of these milliseconds.
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |percent: usize| {
            let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
            Duration::from_millis(values.get(place).copied().unwrap_or_default())
        };
        Self { median: at(50), p95: at(95), p99: at(99), max: at(100) }
    }
}

/// The results of a load. The worker's promises that it broke are in `broken`; there should be none.
pub struct Report {
    /// The load.
    pub load: Load,
    /// The broken promises, in words.
    pub broken: Vec<String>,
    /// Jobs that a worker reported.
    pub reported: u64,
    /// Turns of actions. As many as jobs, unless a job ran twice.
    pub runs: u64,
    /// The time from an action's start to its job's acknowledgement.
    pub time_to_claim: Spread,
    /// Calls of `PollForJobs`.
    pub polls: u64,
    /// Polls that CodePipeline throttled.
    pub throttled: u64,
    /// Polls that were answered with a job.
    pub polls_with_job: u64,
    /// Scheduled invocations.
    pub ticks: u64,
    /// All invocations.
    pub invocations: u64,
    /// Invocations that returned an error, because each of their polls was throttled.
    pub failed_invocations: u64,
    /// Events that Lambda dropped, because of their age or after three failed invocations.
    pub dropped_events: u64,
    /// The most invocations at a time.
    pub most_at_once: usize,
    /// The time of all commands together.
    pub commands: Duration,
    /// The time of all invocations together.
    pub lambda: Duration,
    /// Requests to the ledger, by operation.
    pub ledger: BTreeMap<String, u64>,
    /// Requests to the artifact store, by operation.
    pub artifacts: BTreeMap<String, u64>,
    /// When the last job ended, in simulated time.
    pub took: Duration,
}

/// The report of the simulation so far.
pub(super) fn of(world: &World, load: Load) -> Report {
    let meter = std::mem::take(&mut *lock(&world.meter));
    let (mut ledger, mut artifacts) = (BTreeMap::new(), BTreeMap::new());
    for ((bucket, operation), count) in meter.s3 {
        let of = if bucket == LEDGER { &mut ledger } else { &mut artifacts };
        of.insert(operation, count);
    }
    let reported = witness::results(world);
    let (broken, runs) = {
        let mut witness = lock(&world.witness);
        (std::mem::take(&mut witness.broken), witness.figures.runs)
    };
    Report {
        load,
        broken,
        reported,
        runs,
        time_to_claim: Spread::of(meter.waited.into_values().collect()),
        polls: meter.polls,
        throttled: meter.throttled,
        polls_with_job: meter.with_job,
        ticks: meter.ticks,
        invocations: lock(&world.lambda).invocations.len() as u64,
        failed_invocations: meter.failed,
        dropped_events: meter.dropped,
        most_at_once: meter.most_at_once,
        commands: Duration::from_millis(meter.commands),
        lambda: Duration::from_millis(meter.lambda),
        ledger,
        artifacts,
        took: Duration::from_millis(meter.last_result),
    }
}

impl Report {
    /// Of something that there are so many of, how many for each job.
    fn per_job(&self, count: u64) -> f64 {
        count as f64 / self.load.jobs.max(1) as f64
    }

    /// Polls for each job, throttled ones included.
    pub fn polls_per_job(&self) -> f64 {
        self.per_job(self.polls)
    }

    /// Requests to the ledger for each job.
    pub fn ledger_requests_per_job(&self) -> f64 {
        self.per_job(self.ledger.values().sum())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, time_to_claim, .. } = self;
        let Load { jobs, minutes, poll_rate, poll_burst, concurrency, command_timeout } = load;
        writeln!(f, "assumptions")?;
        writeln!(f, "  {jobs} jobs of one command type become ready at random moments within {minutes} minutes")?;
        writeln!(
            f,
            "  CodePipeline answers {poll_rate} polls a second and a burst of {poll_burst}; AWS publishes no rate"
        )?;
        writeln!(f, "  a command runs alone in its invocation, for 5 to 300 s and {MEAN_SECONDS:.1} s on average")?;
        writeln!(f, "  a job stages one small artifact in and one out; no request fails or is throttled except polls")?;
        writeln!(
            f,
            "  a request takes 2 to 50 ms; an event wakes the function after 50 ms to 1 s, with its cold start"
        )?;
        writeln!(f, "  Lambda runs {concurrency} invocations at a time, with a tick each minute")?;
        writeln!(
            f,
            "  a command may take {command_timeout} s, and an invocation 900 s; it takes jobs while it has time for one more"
        )?;
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "  {name:<28}{value}");
        writeln!(f, "results")?;
        line(f, "jobs reported", format!("{}, each run once: {}", self.reported, self.runs == *jobs))?;
        line(f, "last report after", format!("{:.1} min", self.took.as_secs_f64() / 60.0))?;
        let Spread { median, p95, p99, max } = *time_to_claim;
        let [median, p95, p99, max] = [median, p95, p99, max].map(seconds);
        line(f, "time to claim", format!("median {median}, p95 {p95}, p99 {p99}, max {max}"))?;
        let share = 100.0 * self.throttled as f64 / self.polls.max(1) as f64;
        let polls = self.polls_per_job();
        line(f, "polls per job", format!("{polls:.2} ({} polls, {share:.1} % throttled)", self.polls))?;
        for (name, counts) in
            [("ledger requests per job", &self.ledger), ("artifact requests per job", &self.artifacts)]
        {
            let all = self.per_job(counts.values().sum());
            let each: Vec<_> =
                counts.iter().map(|(what, count)| format!("{what} {:.2}", self.per_job(*count))).collect();
            line(f, name, format!("{all:.2} ({})", each.join(", ")))?;
        }
        let per_job = |time: Duration| time.as_secs_f64() / self.load.jobs.max(1) as f64;
        let [lambda, commands] = [self.lambda, self.commands].map(per_job);
        let invocations = self.per_job(self.invocations);
        line(f, "invocations per job", format!("{invocations:.2} ({} failed)", self.failed_invocations))?;
        line(f, "events dropped", self.dropped_events.to_string())?;
        line(f, "Lambda time per job", format!("{lambda:.1} s ({commands:.1} s of the command)"))?;
        line(f, "invocations at a time", format!("at most {}", self.most_at_once))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_takes_the_nearest_rank() {
        let ms = Duration::from_millis;
        let spread = Spread::of((1..=200).rev().collect());
        assert_eq!(spread, Spread { median: ms(100), p95: ms(190), p99: ms(198), max: ms(200) });
        assert_eq!(Spread::of(vec![7]), Spread { median: ms(7), p95: ms(7), p99: ms(7), max: ms(7) });
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }
}
