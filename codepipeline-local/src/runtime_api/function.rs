//! A function and the processes that run it.

use std::io;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::endpoint::{BootstrapReply, Offer};
use super::process::Process;
use super::settings::{FunctionSettings, Invocation};
use crate::ids::random_uuid;

/// How long a bootstrap may take before it asks for its first event, in addition to the function's timeout. It is the limit of the
/// init phase (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle").
const INIT: Duration = Duration::from_secs(10);

/// A function and its execution environments. An invocation starts a process if none is idle. The process stays for later invocations, and
/// is replaced when it ends or is killed. There are as many processes as invocations at a time, up to the function's concurrency. Further
/// invocations wait their turn.
#[derive(Clone)]
pub struct Function {
    settings: Arc<FunctionSettings>,
    /// Processes that have replied, the latest at the end.
    idle: Arc<Mutex<Vec<Process>>>,
    concurrency: NonZeroU16,
    /// One for each process that may run.
    places: Arc<Semaphore>,
    stopping: Arc<watch::Sender<bool>>,
    /// How many processes in a row ended before they asked for an event.
    failed_starts: Arc<AtomicUsize>,
}

impl Function {
    /// Creates a function with one invocation at a time. Fails if the command is empty. A command that can't run fails at the first
    /// invocation.
    pub fn new(settings: FunctionSettings) -> io::Result<Self> {
        Self::with_concurrency(settings, NonZeroU16::MIN)
    }

    /// Creates a function with this many invocations at a time, as with reserved concurrency on Lambda.
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

    /// Invokes the function with an event and waits for the end. Fails if the process can't be started, or if the function was
    /// stopped. Dropping the returned future kills the process.
    pub async fn invoke(&self, event: &Value) -> io::Result<Invocation> {
        let stopped = || io::Error::other("the function was stopped");
        let _place = self.places.acquire().await.map_err(|_| stopped())?;
        if *self.stopping.borrow() {
            return Err(stopped());
        }
        loop {
            // The process leaves the pool while it works, so that dropping this call kills it.
            let warm = self.idle().pop();
            let reused = warm.is_some();
            let mut process = match warm {
                Some(process) => process,
                None => Process::start(&self.settings).await?,
            };
            match self.run(&mut process, event).await {
                // The process ended after its last invocation, so this event never reached it.
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

    /// The function's configuration.
    pub(super) fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    /// Invokes the function asynchronously, as Lambda does but without retries, and passes the end to `report`. Returns at once. Events
    /// wait in their order of arrival.
    pub fn invoke_async(&self, event: Value, report: impl FnOnce(io::Result<Invocation>) + Send + 'static) {
        let function = self.clone();
        tokio::spawn(async move { report(function.invoke(&event).await) });
    }

    /// Ends the processes with SIGTERM, and with SIGKILL what still runs 2 s later. Waits until they are gone. Running invocations end as
    /// [`Invocation::Exited`]. Waiting ones fail. Dropping the returned future kills the idle processes.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        let mut idle = std::mem::take(&mut *self.idle());
        let ending = join_all(idle.iter_mut().map(Process::stop));
        // This gets all places once no invocation is running. The semaphore is never closed.
        let (_, _places) = tokio::join!(ending, self.places.acquire_many(self.concurrency.get().into()));
        // A process that replied just now is idle, too.
        let mut idle = std::mem::take(&mut *self.idle());
        join_all(idle.iter_mut().map(Process::stop)).await;
    }

    /// Stops several functions at the same time.
    pub(crate) async fn stop_all(functions: Vec<Self>) {
        join_all(functions.into_iter().map(Self::stop)).await;
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs that a process ended before it asked for an event, and how often in a row.
    fn start_failed(&self, how: &str) {
        let command = &self.settings.command[0];
        match self.failed_starts.fetch_add(1, Ordering::Relaxed) + 1 {
            1 => tracing::error!("the function's process {command} {how}; its output says why"),
            times => tracing::error!(
                "the function's process {command} {how}, {times} times in a row; its output says why; the function \
                 handles no event until it starts"
            ),
        }
    }

    /// Gives the event to one process. Ends the process unless it replies.
    async fn run(&self, process: &mut Process, event: &Value) -> End {
        let timeout = self.settings.timeout;
        let Offer { mut taken, mut reply } = process.offer(random_uuid(), timeout, event);
        let stopped = async {
            let mut stopping = self.stopping.subscribe();
            // The sender lives in `self`, so this ends only when the function is stopped.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        tokio::pin!(stopped);
        let mut first = tokio::select! {
            biased;
            // An init error drops `taken`; then `reply` has the error.
            Ok(()) = &mut taken => First::Taken,
            reply = &mut reply => First::Reply(reply.ok()),
            status = process.exited() => return End::ExitedBefore(status),
            () = &mut stopped => First::Stopped,
            () = tokio::time::sleep(INIT + timeout) => First::TooLate,
        };
        if matches!(first, First::TooLate) {
            self.start_failed("did not ask for an event in time");
        }
        if matches!(first, First::Taken) {
            self.failed_starts.store(0, Ordering::Relaxed);
            first = tokio::select! {
                biased;
                reply = reply => First::Reply(reply.ok()),
                status = process.exited() => First::Exited(status),
                () = stopped => First::Stopped,
                () = tokio::time::sleep(timeout) => First::TooLate,
            };
        }
        End::Invocation(match first {
            First::Reply(Some(BootstrapReply::Response(value))) => Invocation::Answered(value),
            First::Reply(Some(BootstrapReply::Error { error_type, message })) => {
                Invocation::Failed { error_type, message }
            }
            First::Reply(Some(BootstrapReply::InitError { error_type, message })) => {
                self.start_failed(&format!("reported that it can't start ({error_type})"));
                // End a bootstrap that could not start, even if its process stays alive.
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
            First::Stopped => Invocation::Exited { status: process.stop().await },
            First::Taken | First::Reply(None) => Invocation::Exited { status: process.end().await },
        })
    }
}

/// How one process handled an event.
enum End {
    /// It exited before it asked for the event.
    ExitedBefore(String),
    Invocation(Invocation),
}

/// The first thing that happened to an offered event.
enum First {
    Taken,
    Reply(Option<BootstrapReply>),
    Exited(String),
    Stopped,
    TooLate,
}
