//! A bootstrap's process, and everything that it starts.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::FunctionSettings;
use super::endpoint::{Endpoint, Offer};
use super::settings::LineTaker;
use crate::family::Family;

/// How long a process may take to end after SIGTERM: the longest shutdown phase on Lambda (Lambda Developer Guide, "Understanding the
/// Lambda execution environment lifecycle").
const GRACE: Duration = Duration::from_secs(2);

/// A running bootstrap. Dropping it kills it and everything that it started.
pub(super) struct Process {
    family: Family,
    endpoint: Endpoint,
}

impl Process {
    pub(super) async fn start(settings: &FunctionSettings) -> io::Result<Self> {
        let FunctionSettings { region, account_id, name, .. } = settings;
        let arn = format!("arn:aws:lambda:{region}:{account_id}:function:{name}");
        let endpoint = Endpoint::start(arn).await?;
        let mut command = command(settings, &endpoint)?;
        let mut family = Family::spawn(&mut command).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("could not start the function's command {:?}: {error}", settings.command[0]),
            )
        })?;
        if let Some(take) = settings.output.taker() {
            let (stdout, stderr) = family.pipes();
            pass_on(stdout, Arc::clone(&take));
            pass_on(stderr, take);
        }
        Ok(Self { family, endpoint })
    }

    pub(super) fn offer(&self, id: String, timeout: Duration, event: &Value) -> Offer {
        self.endpoint.offer(id, timeout, event)
    }

    /// Waits for the end of the process and describes it.
    pub(super) async fn exited(&mut self) -> String {
        described(self.family.exited().await)
    }

    /// Kills the process and everything that it started, waits for its end and describes it.
    pub(super) async fn end(&mut self) -> String {
        described(self.family.end().await)
    }

    /// Ends the process and everything that it started with SIGTERM, and with SIGKILL what still runs 2 s later. Describes its end.
    pub(super) async fn stop(&mut self) -> String {
        described(self.family.stop(GRACE).await.0)
    }

    /// Whether the process was killed.
    pub(super) fn is_ended(&self) -> bool {
        self.family.is_killed()
    }
}

fn described(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| format!("unknown ({error})"), |status| status.to_string())
}

/// The command with the environment of a Lambda function (Lambda Developer Guide, "Defined runtime environment variables").
#[expect(clippy::disallowed_methods, reason = "a function finds programs in the PATH of the emulator's user")]
fn command(settings: &FunctionSettings, endpoint: &Endpoint) -> io::Result<Command> {
    let [program, arguments @ ..] = settings.command.as_slice() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the function's command is empty"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    for inherited in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(inherited) {
            command.env(inherited, value);
        }
    }
    let name = &settings.name;
    command
        .env("AWS_LAMBDA_RUNTIME_API", endpoint.address().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", settings.memory_mb.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
        .env("AWS_REGION", &settings.region)
        .env("AWS_DEFAULT_REGION", &settings.region)
        .env("LAMBDA_TASK_ROOT", std::env::current_dir()?)
        .env("_HANDLER", "bootstrap")
        .env("TZ", ":UTC")
        .envs(&settings.env);
    command.stdin(Stdio::null());
    if settings.output.taker().is_some() {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    Ok(command)
}

/// Forwards the lines from the pipe until its last writer has closed it.
fn pass_on(pipe: Option<impl AsyncRead + Unpin + Send + 'static>, take: LineTaker) {
    let Some(pipe) = pipe else { return };
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line);
            take(text.trim_end_matches(['\n', '\r']));
            line.clear();
        }
    });
}
