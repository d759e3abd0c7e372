//! A worker of your own: an action written in Rust, and a short `main`.
//!
//! The action is the last step of a deployment: it requests a URL until the response has an expected text. This may take longer than
//! a Lambda invocation. So the action sends one request, and returns a continuation token. CodePipeline offers the next job with this
//! token some seconds later, and shows the progress.
//!
//! `ACTIONS` may be left unset: this worker brings its action type itself. Otherwise it is configured and deployed like the
//! ready-made one (docs/testing.md and docs/deploying.md).

use std::process::ExitCode;
use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(10);
/// So many looks are enough.
const LOOKS: u32 = 100;

/// The codes of its failures: the log and CodePipeline show them with the message.
const NOT_HEALTHY: FailureCode = FailureCode::new("NotHealthy");
const KEY_MISSING: FailureCode = FailureCode::new("KeyMissing");
const TOKEN_INVALID: FailureCode = FailureCode::new("TokenInvalid");

#[tokio::main]
async fn main() -> ExitCode {
    codepipeline_worker::run_with(vec![served()]).await
}

/// The action type, and how to serve it. Its action has the configuration keys `Url` and `Expect`.
pub fn served() -> Served {
    let [owner, category, provider, version] = ["Custom", "Deploy", "WaitForHealth", "1"].map(str::to_owned);
    let turn = LOOK + Duration::from_secs(5);
    Served::new(ActionTypeId { category, owner, provider, version }, turn, WaitForHealth)
        .overall_timeout(Duration::from_secs(3600))
}

struct WaitForHealth;

impl Action for WaitForHealth {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        look(&turn, 1).await
    }

    /// The token is the number of looks so far.
    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        let looks: u32 = token.parse().map_err(|_| {
            Failure::new(FailureKind::ConfigurationError, TOKEN_INVALID, "the continuation token is no number of looks")
        })?;
        look(&turn, looks.saturating_add(1)).await
    }

    /// It works with no files: there is nothing to stage.
    fn wants_files(&self) -> bool {
        false
    }
}

/// Looks once.
async fn look(turn: &Turn, number: u32) -> Result<Outcome, Failure> {
    let url = configured(turn, "Url")?;
    let expected = configured(turn, "Expect")?;
    let seen = answer(url).await;
    if seen.as_ref().is_ok_and(|text| text.contains(expected)) {
        return Ok(Outcome::Finished(Finished {
            summary: Some(format!("healthy at look {number}")),
            variables: [("Looks".to_owned(), number.to_string())].into(),
            ..Finished::default()
        }));
    }
    let reason = seen.err().unwrap_or("it answers, but not as expected");
    if number >= LOOKS {
        let message = format!("the service is not healthy after {LOOKS} looks: {reason}");
        return Err(Failure::new(FailureKind::JobFailed, NOT_HEALTHY, message));
    }
    Ok(Outcome::Continue(Continuation {
        token: number.to_string(),
        summary: Some(format!("look {number}: {reason}")),
        external_execution_id: None,
        percent_complete: u8::try_from(number * 100 / LOOKS).ok(),
    }))
}

fn configured<'t>(turn: &'t Turn, key: &str) -> Result<&'t str, Failure> {
    turn.job.configuration.get(key).ok_or_else(|| {
        let message = format!("the action's configuration lacks the key {key}");
        Failure::new(FailureKind::ConfigurationError, KEY_MISSING, message)
    })
}

/// What the service says, or why it says nothing: in words of ours, since an error may hold the URL.
async fn answer(url: &str) -> Result<String, &'static str> {
    let client =
        reqwest::Client::builder().timeout(LOOK).no_proxy().build().map_err(|_| "no HTTP client can be made")?;
    let reply = client.get(url).send().await.map_err(|_| "it can't be reached")?;
    let reply = reply.error_for_status().map_err(|_| "it answers with an error")?;
    reply.text().await.map_err(|_| "its answer breaks off")
}
