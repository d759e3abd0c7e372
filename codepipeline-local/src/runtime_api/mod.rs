//! A Lambda function on this machine: any bootstrap, run as a process and fed through the Lambda Runtime API
//! (Lambda Developer Guide, "Using the Lambda runtime API"; version 2018-06-01).

mod endpoint;
mod process;
mod schedule;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, mpsc, watch};

use crate::ids::random_uuid;
use endpoint::{Answer, Offer};
use process::Process;
pub use schedule::{Schedule, scheduled_event};

/// How long a bootstrap may take before it asks for its first event, beside the function's timeout: the init phase's limit
/// (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle").
const INIT: Duration = Duration::from_secs(10);

/// A function's configuration.
#[derive(Clone)]
pub struct FunctionSettings {
    /// What `AWS_LAMBDA_FUNCTION_NAME` says.
    pub name: String,
    /// The bootstrap and its arguments.
    pub command: Vec<String>,
    /// The account in its ARN and in its schedule's events; the emulator's own is in its settings.
    pub account_id: String,
    /// The region that it runs in.
    pub region: String,
    /// Environment variables, beside those that Lambda sets and the emulator's own `PATH` and `HOME`. These win.
    pub env: BTreeMap<String, String>,
    /// How long an invocation may take; then its process is killed.
    pub timeout: Duration,
    /// What `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` says, in MiB. It is not enforced.
    pub memory_mb: u32,
    /// Where the process's output goes.
    pub output: Output,
}

/// Where a function's standard output and standard error go.
#[derive(Clone)]
pub enum Output {
    /// To the emulator's own.
    Inherit,
    /// Line by line, without line ends, into a channel. Bytes that are no UTF-8 are replaced.
    Lines(mpsc::UnboundedSender<String>),
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// The function answered.
    Answered(Value),
    /// The function reported an error, of an invocation or of its start.
    Failed {
        /// What the error's type says.
        error_type: String,
        /// What the error says.
        message: String,
    },
    /// It had not answered at its deadline, and was killed.
    TimedOut,
    /// The process ended without an answer.
    Exited {
        /// Its exit code or signal, in words.
        status: String,
    },
}

/// A function with one execution environment: its process is started by the first invocation, kept for the next, and replaced when
/// it ends or is killed. Invocations wait for one another; for two at a time, start two functions.
#[derive(Clone)]
pub struct Function {
    settings: Arc<FunctionSettings>,
    environment: Arc<Mutex<Option<Process>>>,
    stopping: Arc<watch::Sender<bool>>,
}

impl Function {
    /// Takes the settings. Fails if the command is empty; whether it can be run shows at the first invocation.
    pub fn new(settings: FunctionSettings) -> io::Result<Self> {
        if settings.command.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the function's command is empty"));
        }
        Ok(Self {
            settings: Arc::new(settings),
            environment: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
        })
    }

    /// Has the function handle an event, and waits for the end. Fails if its process can't be started. When the returned future is
    /// dropped, the process is killed.
    pub async fn invoke(&self, event: &Value) -> io::Result<Invocation> {
        let mut environment = self.environment.lock().await;
        // Taken out while it works: if this call is given up, so is the process.
        let mut warm = environment.take();
        loop {
            let reused = warm.is_some();
            let mut process = match warm.take() {
                Some(process) => process,
                None => Process::start(&self.settings).await?,
            };
            match self.run(&mut process, event).await {
                // It ended after the last invocation, and this event never reached it.
                End::ExitedBefore(_) if reused => {}
                End::ExitedBefore(status) => return Ok(Invocation::Exited { status }),
                End::Invocation(invocation) => {
                    if !process.is_ended() {
                        *environment = Some(process);
                    }
                    return Ok(invocation);
                }
            }
        }
    }

    /// What it was made with.
    pub(super) fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    /// Kills the process, and waits until it is gone. An invocation that is under way ends as [`Invocation::Exited`].
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        let process = self.environment.lock().await.take();
        if let Some(mut process) = process {
            process.end().await;
        }
    }

    /// Has one process handle the event. Unless it answers, it is ended.
    async fn run(&self, process: &mut Process, event: &Value) -> End {
        let timeout = self.settings.timeout;
        let Offer { mut taken, mut answer } = process.offer(random_uuid(), timeout, event);
        let stopped = async {
            let mut stopping = self.stopping.subscribe();
            // The sender lives in `self`, so this ends only when stopping is asked for.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        tokio::pin!(stopped);
        let mut first = tokio::select! {
            biased;
            // An init error drops it; then the answer tells.
            Ok(()) = &mut taken => First::Taken,
            answer = &mut answer => First::Answer(answer.ok()),
            status = process.exited() => return End::ExitedBefore(status),
            () = &mut stopped => First::Stopped,
            () = tokio::time::sleep(INIT + timeout) => First::TooLate,
        };
        if matches!(first, First::Taken) {
            first = tokio::select! {
                biased;
                answer = answer => First::Answer(answer.ok()),
                status = process.exited() => First::Exited(status),
                () = stopped => First::Stopped,
                () = tokio::time::sleep(timeout) => First::TooLate,
            };
        }
        End::Invocation(match first {
            First::Answer(Some(Answer::Response(value))) => Invocation::Answered(value),
            First::Answer(Some(Answer::Error { error_type, message })) => Invocation::Failed { error_type, message },
            First::Answer(Some(Answer::InitError { error_type, message })) => {
                // A bootstrap that could not start is replaced, even if it stays.
                process.end().await;
                Invocation::Failed { error_type, message }
            }
            First::Exited(status) => {
                process.end().await;
                Invocation::Exited { status }
            }
            First::TooLate => {
                process.end().await;
                Invocation::TimedOut
            }
            First::Taken | First::Answer(None) | First::Stopped => Invocation::Exited { status: process.end().await },
        })
    }
}

/// What one process made of an event.
enum End {
    /// It exited and never asked for the event.
    ExitedBefore(String),
    Invocation(Invocation),
}

/// What happened first.
enum First {
    Taken,
    Answer(Option<Answer>),
    Exited(String),
    Stopped,
    TooLate,
}

#[cfg(test)]
mod tests;
