//! An emulator's options.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::access_keys::AccessKeys;
use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::engine::{Connection, Settings};
use crate::faults::Faults;
use crate::page::PageMode;
use crate::providers::Providers;
use crate::s3::S3Pace;

/// The options of an emulator. `serve` has flags for all but the clock.
pub struct Options {
    /// The address to listen on; 127.0.0.1 by default. Only a loopback address keeps other machines away.
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// The folder for S3's objects and CodePipeline's state. Without it, objects are in a temporary folder, and everything ends with
    /// the emulator.
    pub data: Option<PathBuf>,
    /// Behaviour of CodePipeline that AWS does not document.
    pub engine: Settings,
    /// The providers of AWS's own actions; by default only those of the engine. Its types replace [`Settings::provided`].
    pub providers: Providers,
    /// The third-party connections, as [`read_connections`](crate::api::read_connections) returns them. By default, those in the
    /// data folder.
    pub connections: Option<Vec<Connection>>,
    /// S3's delay and pace for jobs.
    pub s3: S3Pace,
    /// Accepts uploads without SSE-KMS into artifact stores, as a bucket without a policy does. By default they are refused.
    pub accept_unencrypted_uploads: bool,
    /// The endpoints of services that the emulator does not have; none by default.
    pub endpoints: Endpoints,
    /// The faults; none by default.
    pub faults: Faults,
    /// The readers of the page at `/_/`; every client by default.
    pub page: PageMode,
    /// The only keys that requests over the port may name, besides those of jobs for S3. They also make the ids, nonces and credentials
    /// of jobs unguessable. By default, every key is accepted.
    pub keys: Option<AccessKeys>,
    /// Refuses requests whose `Host` a public web page can have. Such a page could run commands by a pipeline. By default, every host is
    /// accepted.
    pub local_hosts_only: bool,
    /// The seed of ids, nonces and credentials, if there are no keys. The same seed and requests give the same ones. Later emulators with
    /// the same data folder continue its series.
    pub seed: u64,
    /// The clock of CodePipeline and S3.
    pub clock: Clock,
}

impl Default for Options {
    /// A free port, a temporary folder, the engine's defaults, and the machine's clock.
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            data: None,
            engine: Settings::default(),
            providers: Providers::default(),
            connections: None,
            s3: S3Pace::default(),
            accept_unencrypted_uploads: false,
            endpoints: Endpoints::default(),
            faults: Faults::default(),
            page: PageMode::default(),
            keys: None,
            local_hosts_only: false,
            seed: 0,
            clock: Clock::machine(),
        }
    }
}
