//! Many jobs in an hour: how fast they are claimed, and what that costs in polls, S3 requests and Lambda time.
//!
//! The same simulation, without faults. CodePipeline throttles polls like AWS does, with a token bucket. A meter counts. The witness
//! checks the same promises as always: no job is lost, and none runs twice.

mod meter;
mod report;
mod sent;
mod throttle;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::lambda::{Waking, wake_after, wake_with};
use crate::random::Random;
use crate::scenario::{self, COMMAND, STORE};
use crate::world::World;
use crate::{agenda, codepipeline, lock, witness};

pub(crate) use meter::Meter;
pub use report::{Report, Spread};
pub(crate) use sent::Sent;
pub(crate) use throttle::is_throttled;

/// How many pipelines the jobs are spread over. It makes no difference to the worker.
const PIPELINES: u64 = 20;

/// For how many minutes the schedule continues while jobs are left.
const OVERTIME: u64 = 120;

/// A load to simulate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many jobs become ready, at random moments.
    pub jobs: u64,
    /// Within so many minutes.
    pub minutes: u64,
    /// How many polls a second CodePipeline answers.
    pub poll_rate: f64,
    /// How many polls it answers at once after a pause.
    pub poll_burst: u32,
    /// How many invocations may run at a time.
    pub concurrency: usize,
    /// The timeout of a command in seconds. An invocation takes another job only while it has this time and 70 s left of its 900 s.
    pub command_timeout: u64,
}

impl Default for Load {
    /// 10,000 jobs in an hour, with Lambda's default concurrency and the template's default timeouts. AWS publishes no rate for polls, so this one is a guess.
    fn default() -> Self {
        Self { jobs: 10_000, minutes: 60, poll_rate: 10.0, poll_burst: 20, concurrency: 1_000, command_timeout: 813 }
    }
}

/// How long a command runs, in milliseconds: half take 5 to 30 s, two fifths up to 90 s, and one in ten up to five minutes.
pub(crate) fn duration(world: &World, random: &mut Random) -> u64 {
    let takes = match random.range(0, 99) {
        0..50 => random.range(5_000, 30_000),
        50..90 => random.range(30_000, 90_000),
        _ => random.range(90_000, 300_000),
    };
    lock(&world.meter).commands += takes;
    takes
}

/// The mean of [`duration`] in seconds.
pub(crate) const MEAN_SECONDS: f64 = 0.5 * 17.5 + 0.4 * 60.0 + 0.1 * 195.0;

/// Runs the load to its end.
pub(crate) async fn run(world: &Arc<World>, load: Load) -> Report {
    if let Err(why) = set_up(world, load) {
        world.broken(format!("the simulation could not be set up: {why}"));
    }
    agenda::run(world, (load.minutes + OVERTIME) * 60_000).await;
    witness::nothing_hangs(world);
    report::of(world, load)
}

fn set_up(world: &Arc<World>, load: Load) -> Result<(), String> {
    scenario::make_types(world)?;
    for number in 0..PIPELINES {
        make_pipeline(world, number)?;
    }
    let mut random = world.random("load");
    for number in 0..load.jobs {
        let begins = random.range(0, load.minutes * 60_000);
        world.after(begins, format!("execution {number}"), move |world| {
            let input = json!({"name": format!("p{}", number % PIPELINES)});
            if let Err(why) = codepipeline::owner(world, "StartPipelineExecution", &input) {
                world.broken(format!("the simulation could not start a pipeline: {why}"));
            }
        });
    }
    for minute in 0..load.minutes + OVERTIME {
        // A tick reaches the function within a second of its minute.
        let at = minute * 60_000 + random.range(0, 1_000);
        world.after(at, format!("minute {minute}"), move |world| {
            if minute < load.minutes || witness::results(world) < load.jobs {
                lock(&world.meter).ticks += 1;
                wake_after(world, 0, format!("minute {minute}"), Waking::Schedule);
            }
        });
    }
    Ok(())
}

fn make_pipeline(world: &Arc<World>, number: u64) -> Result<(), String> {
    scenario::place_source(world);
    let stages = json!([
        {"name": "Source", "actions": [scenario::source()]},
        {"name": "Test", "actions": [scenario::action(COMMAND, "Load")]},
    ]);
    let pipeline = json!({
        "name": format!("p{number}"), "roleArn": "arn:aws:iam::123456789012:role/pipeline", "executionMode": "PARALLEL",
        "pipelineType": "V2", "artifactStore": {"type": "S3", "location": STORE}, "stages": stages,
    });
    codepipeline::owner(world, "CreatePipeline", &json!({"pipeline": pipeline})).map(drop)
}

/// Wakes the function for an event, as EventBridge and Lambda do: within a second, which includes a cold start, and one of a hundred
/// events twice.
pub(crate) fn tell(world: &Arc<World>, event: &Value) {
    let execution = event.pointer("/detail/action-execution-id").and_then(Value::as_str).unwrap_or_default();
    if event.pointer("/detail/state").and_then(Value::as_str) == Some("STARTED") {
        lock(&world.meter).started(execution, world.clock.elapsed());
    }
    let mut random = world.random(&format!("event {execution} {}", event["id"]));
    for time in 0..if random.chance(10) { 2 } else { 1 } {
        let delay = random.range(50, 1_000) + time * random.range(0, 5_000);
        wake_with(world, delay, format!("{execution} {time}"), event);
    }
}

/// Sends an event again that the function's concurrency left no room for.
pub(crate) fn throttled(world: &Arc<World>, random: &mut Random, name: &str, mut sent: Sent) {
    let pause = sent.throttled(random, world.clock.elapsed());
    send_again(world, pause, format!("{name}'"), sent);
}

/// Sends the event of a failed invocation again.
pub(crate) fn failed(world: &Arc<World>, name: &str, mut sent: Sent) {
    let pause = sent.failed(world.clock.elapsed());
    send_again(world, pause, format!("{name}!"), sent);
}

fn send_again(world: &Arc<World>, pause: Option<u64>, name: String, sent: Sent) {
    match pause {
        Some(pause) => wake_after(world, pause, name, Waking::Event(sent)),
        None => lock(&world.meter).dropped += 1,
    }
}
