//! Everything in one simulation.

use std::sync::Arc;

use codepipeline_local::engine::Engine;
use tempfile::TempDir;

use crate::agenda::Agenda;
use crate::clock::Clock;
use crate::lambda::Lambda;
use crate::load::Meter;
use crate::lot::Lot;
use crate::network::Ordinals;
use crate::random::Random;
use crate::s3::Objects;
use crate::trace::Trace;
use crate::witness::Witness;
use crate::{Guarded, lock};

/// One simulation.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) lot: Lot,
    pub(crate) clock: Clock,
    pub(crate) agenda: Agenda,
    pub(crate) trace: Trace,
    pub(crate) witness: Guarded<Witness>,
    pub(crate) engine: Guarded<Engine>,
    /// The next moment in the agenda at which the engine acts on its own.
    pub(crate) engine_due: Guarded<Option<u64>>,
    pub(crate) objects: Guarded<Objects>,
    pub(crate) lambda: Guarded<Lambda>,
    pub(crate) ordinals: Guarded<Ordinals>,
    /// The counts for a load.
    pub(crate) meter: Guarded<Meter>,
    /// The folder for the processes' work folders.
    pub(crate) folder: TempDir,
}

impl World {
    /// An empty simulation, at its beginning.
    pub(crate) fn new(seed: u64, lot: Lot) -> std::io::Result<Arc<Self>> {
        let engine = Engine::new(lot.settings.clone(), seed);
        let clock = Clock::start();
        let silent = lot.load.is_some();
        Ok(Arc::new(Self {
            seed,
            lot,
            clock,
            agenda: Agenda::default(),
            trace: Trace::new(clock, silent),
            witness: Guarded::default(),
            engine: Guarded::new(engine),
            engine_due: Guarded::default(),
            objects: Guarded::default(),
            lambda: Guarded::default(),
            ordinals: Guarded::default(),
            meter: Guarded::default(),
            folder: TempDir::with_prefix("simulation-")?,
        }))
    }

    /// The numbers of this world for a purpose.
    pub(crate) fn random(&self, purpose: &str) -> Random {
        Random::of(self.seed, purpose)
    }

    /// Whether there still are faults and crashes.
    pub(crate) fn is_troubled(&self) -> bool {
        self.clock.elapsed() < self.lot.troubled * 60_000
    }

    /// Adds an event, so many milliseconds from now.
    pub(crate) fn after(&self, delay: u64, name: String, happening: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.agenda.enter(self.clock.elapsed() + delay, name, happening);
    }

    /// Records a broken promise.
    pub(crate) fn broken(&self, promise: String) {
        self.trace.line(format_args!("BROKEN: {promise}"));
        lock(&self.witness).broken.push(promise);
    }
}
