//! A function and the processes that run it.

use std::io;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::endpoint::{Answer, Offer};
use super::process::Process;
use super::settings::{FunctionSettings, Invocation};
use crate::ids::random_uuid;

/// How long a bootstrap may take before it asks for its first event, beside the function's timeout: the init phase's limit
/// (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle").
const INIT: Duration = Duration::from_secs(10);

/// A function and its execution environments: a process is started for an invocation when none is idle, kept for the next, and
/// replaced when it ends or is killed. There are as many as there are invocations at a time, up to the function's concurrency;
/// further invocations wait for their turn.
#[derive(Clone)]
pub struct Function {
    settings: Arc<FunctionSettings>,
    /// Processes that have answered, the latest at the end.
    idle: Arc<Mutex<Vec<Process>>>,
    concurrency: NonZeroU16,
    /// One for each process that may run.
    places: Arc<Semaphore>,
    stopping: Arc<watch::Sender<bool>>,
    /// How many processes in a row have not come as far as asking for an event.
    failed_starts: Arc<AtomicUsize>,
}

impl Function {
    /// A function that has one invocation at a time. Fails if the command is empty; whether it can be run shows at the first
    /// invocation.
    pub fn new(settings: FunctionSettings) -> io::Result<Self> {
        Self::with_concurrency(settings, NonZeroU16::MIN)
    }

    /// A function that has as many invocations at a time, as reserved concurrency allows on Lambda.
    pub fn with_concurrency(settings: FunctionSettings, concurrency: NonZeroU16) -> io::Result<Self> {
        if settings.command.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the function's command is empty"));
        }
        Ok(Self {
            settings: Arc::new(settings),
            idle: Arc::default(),
            concurrency,
            places: Arc::new(Semaphore::new(concurrency.get().into())),
            stopping: Arc::new(watch::Sender::new(false)),
            failed_starts: Arc::default(),
        })
    }

    /// Has the function handle an event, and waits for the end. Fails if its process can't be started, or if the function was
    /// stopped. When the returned future is dropped, the process is killed.
    pub async fn invoke(&self, event: &Value) -> io::Result<Invocation> {
        let stopped = || io::Error::other("the function was stopped");
        let _place = self.places.acquire().await.map_err(|_| stopped())?;
        if *self.stopping.borrow() {
            return Err(stopped());
        }
        loop {
            // Taken out while it works: if this call is given up, so is the process.
            let warm = self.idle().pop();
            let reused = warm.is_some();
            let mut process = match warm {
                Some(process) => process,
                None => Process::start(&self.settings).await?,
            };
            match self.run(&mut process, event).await {
                // It ended after the last invocation, and this event never reached it.
                End::ExitedBefore(_) if reused => {}
                End::ExitedBefore(status) => {
                    self.start_failed(&format!("ended before it asked for an event ({status})"));
                    return Ok(Invocation::Exited { status });
                }
                End::Invocation(invocation) => {
                    if !process.is_ended() {
                        self.idle().push(process);
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

    /// Has the function handle an event in its turn, and tells `report` how it ended: Lambda's asynchronous invocation, but
    /// without retries. Returns at once; the events wait in the order in which they came.
    pub fn invoke_async(&self, event: Value, report: impl FnOnce(io::Result<Invocation>) + Send + 'static) {
        let function = self.clone();
        tokio::spawn(async move { report(function.invoke(&event).await) });
    }

    /// Kills the processes, and waits until they are gone. Invocations that are under way end as [`Invocation::Exited`], and those
    /// that wait for their turn fail.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        // It has all places once no invocation is under way. The semaphore is never closed.
        let _places = self.places.acquire_many(self.concurrency.get().into()).await;
        let processes = std::mem::take(&mut *self.idle());
        for mut process in processes {
            process.end().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a process has not come as far as asking for an event, and how often in a row.
    fn start_failed(&self, how: &str) {
        let command = &self.settings.command[0];
        match self.failed_starts.fetch_add(1, Ordering::Relaxed) + 1 {
            1 => tracing::error!("the function's process {command} {how}; its own output says why"),
            times => tracing::error!(
                "the function's process {command} {how}, {times} times in a row; its own output says why; until it starts, it \
                 handles no event"
            ),
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
        if matches!(first, First::TooLate) {
            self.start_failed("has not asked for an event in time");
        }
        if matches!(first, First::Taken) {
            self.failed_starts.store(0, Ordering::Relaxed);
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
                self.start_failed(&format!("reported that it can't start ({error_type})"));
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
