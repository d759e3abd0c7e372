//! An action that promotes a release after it has been live for a while, its bake time.
//!
//! It reads `release.json` in its input artifact, waits for `BakeSeconds`, writes `promotion.json` into its output artifact, and sets
//! the output variable `Version`. A bake time may be hours, and an invocation of Lambda lasts 15 minutes. So each job looks once and
//! hands back a continuation token.

mod promotion;
mod release;

use std::time::Duration;

use codepipeline_worker::actions::{Action, OnCrash, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Continuation, Failure, Finished, Outcome};

use promotion::Promotion;

/// How long one look may take.
const TURN: Duration = Duration::from_secs(15);

/// The longest bake time. CodePipeline gives a custom action 24 hours.
const LONGEST_BAKE: u64 = 23 * 60 * 60;

/// The action type, and how to serve it. `template.yaml` creates the type.
pub fn served() -> Served {
    let [owner, category, provider, version] = ["Custom", "Deploy", "Promote", "1"].map(str::to_owned);
    // Promoting twice does the same as promoting once, so the job may run again after a worker death.
    Served::new(ActionTypeId { category, owner, provider, version }, TURN, Promote).on_crash(OnCrash::Run)
}

struct Promote;

impl Action for Promote {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        look(&turn).await
    }

    /// The token has no content, because the worker knows the age of the run.
    async fn resume(&self, turn: Turn, _: &str) -> Result<Outcome, Failure> {
        look(&turn).await
    }
}

/// Promotes the release if its bake time has passed.
async fn look(turn: &Turn) -> Result<Outcome, Failure> {
    let configuration = &turn.job.configuration;
    let bake = Duration::from_secs(configuration.number("BakeSeconds", 0..=LONGEST_BAKE)?);
    let channel = configuration.one_of("Channel", &["beta", "stable"])?;
    let version = release::version(turn).await?;

    let left = bake.saturating_sub(turn.age);
    if !left.is_zero() {
        turn.log().info(format_args!("version {version} bakes for {} s more", left.as_secs()));
        return Ok(Outcome::Continue(Continuation {
            token: "baking".to_owned(),
            summary: Some(format!("version {version} bakes for {} s more", left.as_secs())),
            external_execution_id: None,
            percent_complete: Some(percent(turn.age, bake)),
        }));
    }
    Promotion { version: &version, channel }.write(turn).await?;
    turn.log().info(format_args!("promoted version {version} to {channel}"));
    Ok(Outcome::Finished(Finished {
        summary: Some(format!("promoted version {version} to {channel}")),
        variables: [("Version".to_owned(), version)].into(),
        ..Finished::default()
    }))
}

/// How much of the bake time has passed.
fn percent(age: Duration, bake: Duration) -> u8 {
    (age.as_secs_f64() * 100.0 / bake.as_secs_f64()).min(99.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bake_time_is_complete_only_at_its_end() {
        let percent_at = |seconds| percent(Duration::from_secs(seconds), Duration::from_secs(200));
        assert_eq!([0, 50, 199, 200].map(percent_at), [0, 25, 99, 99]);
    }
}
