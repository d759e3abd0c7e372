//! An emulator's options.

use std::path::PathBuf;

use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::engine::{Connection, Settings};
use crate::faults::Faults;
use crate::s3::S3Pace;

/// How an emulator is started.
pub struct Options {
    /// The loopback port; 0 for any that is free.
    pub port: u16,
    /// Where S3 keeps its objects, and CodePipeline its state. Without one the objects live in a temporary folder, and everything
    /// ends with the emulator.
    pub data: Option<PathBuf>,
    /// What CodePipeline does where its documentation is silent.
    pub engine: Settings,
    /// The third-party connections there are, read by [`read_connections`](crate::api::read_connections). Without them, those that
    /// the data folder keeps.
    pub connections: Option<Vec<Connection>>,
    /// How slow S3 is for jobs.
    pub s3: S3Pace,
    /// Admits uploads without SSE-KMS into artifact stores, as a bucket without a policy does; refused by default.
    pub accept_unencrypted_uploads: bool,
    /// Where services are that the emulator does not have; none by default.
    pub endpoints: Endpoints,
    /// What goes wrong on purpose; nothing by default.
    pub faults: Faults,
    /// What ids, nonces and credentials are made from: the same seed and the same requests give the same ones. A data folder's later
    /// emulators continue its series.
    pub seed: u64,
    /// The time of CodePipeline and S3.
    pub clock: Clock,
}

impl Default for Options {
    /// Any port, a temporary folder, the engine's defaults, and the machine's time.
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            engine: Settings::default(),
            connections: None,
            s3: S3Pace::default(),
            accept_unencrypted_uploads: false,
            endpoints: Endpoints::default(),
            faults: Faults::default(),
            seed: 0,
            clock: Clock::machine(),
        }
    }
}
