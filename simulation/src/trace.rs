//! The story, line by line, with the workers' logs. A secret in a worker's log breaks a promise.

use std::cell::RefCell;
use std::fmt::Arguments;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{Layer, layer::SubscriberExt};

use crate::clock::Clock;
use crate::{Guarded, lock};

/// Every secret in a simulation contains this.
pub(crate) const MARKER: &str = "hush-hush";

/// The lines of one simulation.
#[derive(Clone)]
pub(crate) struct Trace {
    clock: Clock,
    /// Whether it keeps no lines, because they would be too many.
    silent: bool,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    lines: Guarded<Vec<String>>,
    told: AtomicBool,
}

thread_local! {
    /// The trace for the logs of the workers on this thread.
    static CURRENT: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

impl Trace {
    pub(crate) fn new(clock: Clock, silent: bool) -> Self {
        Self { clock, silent, shared: Arc::default() }
    }

    /// Adds a line.
    pub(crate) fn line(&self, text: Arguments<'_>) {
        if self.silent {
            return;
        }
        let now = self.clock.elapsed();
        let (hours, minutes, seconds) = (now / 3_600_000, now / 60_000 % 60, now / 1000 % 60);
        let line = format!("{hours}:{minutes:02}:{seconds:02}.{:03} {text}", now % 1000);
        lock(&self.shared.lines).push(line);
    }

    /// Takes the lines so far.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.lines))
    }

    /// Whether a log line contained a secret.
    pub(crate) fn has_told_a_secret(&self) -> bool {
        self.shared.told.load(Ordering::Relaxed)
    }

    /// Adds this thread's logs here until the guard is dropped.
    pub(crate) fn capture(&self) -> Capture {
        CURRENT.set(Some(self.clone()));
        Capture
    }
}

/// Ends the capture of logs when dropped.
pub(crate) struct Capture;

impl Drop for Capture {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// The writer of the process's only subscriber.
pub(crate) struct ToTrace;

/// One event of a worker's log.
pub(crate) struct Line;

impl<'a> MakeWriter<'a> for ToTrace {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        CURRENT.with_borrow(|current| {
            if let Some(trace) = current {
                trace.line(format_args!("    {}", text.trim_end()));
                if text.contains(MARKER) {
                    trace.shared.told.store(true, Ordering::Relaxed);
                }
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends the workers' logs at INFO, their default level, to the traces of their threads. Further calls have no effect.
pub(crate) fn subscribe() {
    // The SDK would close connections after some errors, and complains that it has no connections.
    let wanted = Targets::new()
        .with_default(tracing::Level::INFO)
        .with_target("aws_smithy_runtime::client::http::connection_poisoning", LevelFilter::OFF);
    let lines =
        tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_target(false).with_writer(ToTrace);
    // An earlier caller has installed the same subscriber.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.with_filter(wanted)));
}
