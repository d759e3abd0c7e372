//! Writes lines in embedded metric format.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use metrique::emf::Emf;
use metrique::writer::format::Format;
use metrique::{CloseValue, InflectableEntry, RootEntry};

/// Writes the lines. Clones share their state.
#[derive(Clone)]
pub struct Metrics(Option<Arc<Writer>>);

/// Writes a whole line.
type Write = Box<dyn Fn(&[u8]) + Send + Sync>;

struct Writer {
    format: Mutex<Emf>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    write: Write,
    /// Whether an earlier invocation of this process had a line.
    is_warm: AtomicBool,
}

impl Metrics {
    /// Writes nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Writes metrics of this namespace. `write` gets one whole line, which ends with a line feed.
    pub fn new(
        namespace: &str,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        write: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Self {
        // A line has the dimension sets of its type.
        let format = Mutex::new(Emf::builder(namespace.to_owned(), vec![vec![]]).build());
        let (clock, write) = (Box::new(clock), Box::new(write));
        Self(Some(Arc::new(Writer { format, clock, write, is_warm: AtomicBool::new(false) })))
    }

    pub(super) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether this is the first call in the process.
    pub(super) fn is_cold_start(&self) -> bool {
        self.0.as_ref().is_some_and(|writer| !writer.is_warm.swap(true, Ordering::Relaxed))
    }

    pub(super) fn write<L: CloseValue<Closed: InflectableEntry>>(&self, line: impl FnOnce(SystemTime) -> L) {
        let Some(writer) = &self.0 else { return };
        let line = RootEntry::new(line((writer.clock)()).close());
        let mut text = Vec::with_capacity(1024);
        let written = writer.format.lock().unwrap_or_else(PoisonError::into_inner).format(&line, &mut text);
        match written {
            Ok(()) => (writer.write)(&text),
            Err(error) => tracing::error!(%error, "could not write metrics"),
        }
    }
}
