//! Writes records in the order in which they come, on a thread of its own, and tells when they are on disk.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::Database;
use crate::engine::{Kind, Record};

/// Which changes must be on disk: all up to this number.
pub(crate) type Ticket = u64;

/// A change could not be written. The state in memory is ahead of the disk's from then on, so nothing more is answered.
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

/// The way to the writing thread. When it is dropped, everything is on disk and the file is closed.
pub(crate) struct Keeper {
    /// `None` once it is being dropped.
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

    /// Writes the records, all or none of them, after everything that came before. The ticket is for these records and all earlier
    /// ones, so whoever has read what others wrote may wait, too.
    pub(crate) fn keep(&mut self, records: Vec<Record>) -> Ticket {
        if !records.is_empty() {
            self.last += 1;
            if let Some(queue) = &self.queue {
                // The thread ends after the queue's end, or has told that it failed.
                let _ = queue.send(Batch { ticket: self.last, records });
            }
        }
        self.last
    }

    /// Where to wait for tickets.
    pub(crate) fn progress(&self) -> Kept {
        Kept(self.progress.clone())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // It panics no more than the database does, and then it has been told.
            let _ = writer.join();
        }
    }
}

/// Tells what is on disk.
#[derive(Clone)]
pub(crate) struct Kept(watch::Receiver<Progress>);

impl Kept {
    /// Returns once everything up to the ticket is on disk. Fails if that can't be written.
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
        // What has come in the meantime is written along. Of a record that changed more than once, the last state counts.
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
                let why = format!("could not write to {file}: {error}; make room for it, and start the emulator again");
                tracing::error!("{why}");
                told.send_modify(|progress| progress.failed = Some(NotKept(why)));
                return;
            }
        }
    }
}
