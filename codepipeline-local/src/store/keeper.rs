//! Writes records in order of arrival on its own thread, and reports when they are on disk.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::Database;
use crate::engine::{Kind, Record};

/// The number of a change. Waiting for it includes all earlier changes.
pub(crate) type Ticket = u64;

/// A change could not be written. Memory is now ahead of the disk, so the emulator answers no more requests.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotKept(String);

#[derive(Clone, Default)]
struct Progress {
    written: Ticket,
    failed: Option<NotKept>,
}

struct Batch {
    ticket: Ticket,
    records: Vec<Record>,
}

/// The queue to the writing thread. Dropping it writes everything and closes the file.
pub(crate) struct Keeper {
    /// `None` while it is dropped.
    queue: Option<mpsc::Sender<Batch>>,
    last: Ticket,
    progress: watch::Receiver<Progress>,
    writer: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(crate) fn start(database: Database) -> std::io::Result<Self> {
        let (queue, batches) = mpsc::channel();
        let (told, progress) = watch::channel(Progress::default());
        let writer = std::thread::Builder::new().name("keeper".to_owned());
        let writer = writer.spawn(move || write(&database, &batches, &told))?;
        Ok(Self { queue: Some(queue), last: 0, progress, writer: Some(writer) })
    }

    /// Queues the records, which are written together. The ticket covers these records and all earlier ones, so that a request can also
    /// wait for other requests' changes that it has read.
    pub(crate) fn keep(&mut self, records: Vec<Record>) -> Ticket {
        if !records.is_empty() {
            self.last += 1;
            if let Some(queue) = &self.queue {
                // The thread outlives the queue unless it has reported a failure.
                let _ = queue.send(Batch { ticket: self.last, records });
            }
        }
        self.last
    }

    /// Returns a handle that waits for tickets.
    pub(crate) fn progress(&self) -> Kept {
        Kept(self.progress.clone())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // If the thread panicked, every wait for it has failed.
            let _ = writer.join();
        }
    }
}

/// Waits until changes are on disk.
#[derive(Clone)]
pub(crate) struct Kept(watch::Receiver<Progress>);

impl Kept {
    /// Returns once everything up to the ticket is on disk. Fails if the thread could not write it.
    pub(crate) async fn until(mut self, ticket: Ticket) -> Result<(), NotKept> {
        let done = |progress: &Progress| progress.written >= ticket || progress.failed.is_some();
        match self.0.wait_for(done).await {
            Ok(progress) if progress.written >= ticket => Ok(()),
            Ok(progress) => Err(progress.failed.clone().unwrap_or_else(ended)),
            Err(_) => Err(ended()),
        }
    }
}

fn ended() -> NotKept {
    NotKept("the emulator is ending".to_owned())
}

fn write(database: &Database, batches: &mpsc::Receiver<Batch>, told: &watch::Sender<Progress>) {
    while let Ok(first) = batches.recv() {
        let mut ticket = first.ticket;
        // Changes that arrived in the meantime join this transaction. The last state of each record wins.
        let mut records: BTreeMap<(Kind, String), Record> = BTreeMap::new();
        let mut next = Some(first);
        while let Some(batch) = next {
            ticket = batch.ticket;
            records.extend(batch.records.into_iter().map(|record| ((record.kind, record.key.clone()), record)));
            next = batches.try_recv().ok();
        }
        match database.write(records.values()) {
            Ok(()) => told.send_modify(|progress| progress.written = ticket),
            Err(error) => {
                let file = database.file().display();
                let why =
                    format!("could not write to {file}: {error}; free some disk space and start the emulator again");
                tracing::error!("{why}");
                told.send_modify(|progress| progress.failed = Some(NotKept(why)));
                return;
            }
        }
    }
}
