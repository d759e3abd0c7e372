//! The engine that all requests share, and its connection to the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{Engine, Record, Unreadable};
use crate::store::{Keeper, Kept, NotKept, Ticket};
use crate::types::Timestamp;

/// The engine and its database, under one lock, so that changes reach the disk in order.
#[derive(Clone)]
pub(crate) struct KeptEngine(Arc<Mutex<Inner>>);

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
        Self(Arc::new(Mutex::new(Inner { engine, keeper: None })))
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
        let result = act(&mut inner.engine);
        let changes = inner.engine.take_changes();
        let pending = inner.keeper.as_mut().map(|keeper| {
            // A request that changed nothing waits for all earlier changes, because its answer may show them.
            let ticket = keeper.keep(changes);
            (keeper.progress(), ticket)
        });
        (result, Pending(pending))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
