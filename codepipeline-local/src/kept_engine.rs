//! The engine that all requests share, and its connection to the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::engine::{Engine, Record, Unreadable};
use crate::store::{Keeper, Kept, NotKept, Ticket};
use crate::types::Timestamp;

/// The engine and its database, under one lock, so that changes reach the disk in order.
#[derive(Clone)]
pub(crate) struct KeptEngine {
    inner: Arc<Mutex<Inner>>,
    /// Counts the calls that changed what views show.
    changes: Arc<watch::Sender<u64>>,
}

struct Inner {
    engine: Engine,
    /// `None` without `--data`.
    keeper: Option<Keeper>,
}

/// A change that may not be on disk yet.
#[must_use = "no result may leave the emulator before the change is kept"]
pub(crate) struct Pending(Option<(Kept, Ticket)>);

impl KeptEngine {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { engine, keeper: None })), changes: Arc::default() }
    }

    /// Loads the database's records into the engine.
    pub(crate) fn restore(&self, now: Timestamp, records: Vec<Record>) -> Result<(), Unreadable> {
        self.lock().engine.restore(now, records)
    }

    /// Keeps all changes from now on.
    pub(crate) fn keep_with(&self, keeper: Keeper) {
        self.lock().keeper = Some(keeper);
    }

    /// Halts the engine. This changes nothing that is kept.
    pub(crate) fn halt(&self) {
        self.lock().engine.halt();
    }

    /// Reads from the engine.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(&self.lock().engine)
    }

    /// Runs `act` on the engine and queues the changes. The result may leave the emulator after the changes are kept.
    pub(crate) fn act<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> (T, Pending) {
        let mut inner = self.lock();
        let before = inner.engine.writes();
        let result = act(&mut inner.engine);
        let has_changed = inner.engine.writes() != before;
        let changes = inner.engine.take_changes();
        let pending = inner.keeper.as_mut().map(|keeper| {
            // A request that changed nothing waits for all earlier changes, because its answer may show them.
            let ticket = keeper.keep(changes);
            (keeper.progress(), ticket)
        });
        drop(inner);
        if has_changed {
            self.changes.send_modify(|count| *count += 1);
        }
        (result, Pending(pending))
    }

    /// The count of changes, to wait for the next one. It ends with the emulator.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Returns once the change is on disk.
    pub(crate) async fn kept(self) -> Result<(), NotKept> {
        match self.0 {
            Some((kept, ticket)) => kept.until(ticket).await,
            None => Ok(()),
        }
    }
}
