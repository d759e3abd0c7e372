//! The parts of an emulator, as it starts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::action_logs::{ActionLogs, Line};
use crate::clock::Clock;
use crate::engine::Unreadable;
use crate::kept_engine::KeptEngine;
use crate::providers::OutputLine;
use crate::store::{Database, Keeper, StoreError};
use crate::types::Timestamp;

/// Restores the engine from the folder's database, and saves its changes there from now on.
pub(super) fn restore(engine: &KeptEngine, folder: &Path, now: Timestamp) -> io::Result<()> {
    let (database, records) = Database::open(folder).map_err(io::Error::other)?;
    let broken = |why: Unreadable| io::Error::other(StoreError::broken(database.file(), &why));
    engine.restore(now, records).map_err(broken)?;
    engine.keep_with(Keeper::start(database)?);
    Ok(())
}

/// The error for a data folder that the store can't open.
pub(super) fn unusable(folder: &Path, error: &io::Error) -> io::Error {
    let is_file = folder.exists() && !folder.is_dir();
    let why = if is_file { "it is a file; name a folder".to_owned() } else { error.to_string() };
    io::Error::new(error.kind(), format!("could not open the data folder {}: {why}", folder.display()))
}

/// Adds the output of commands to the logs of their actions.
pub(super) fn logging(
    logs: ActionLogs,
    clock: Clock,
    engine: KeptEngine,
) -> impl Fn(&OutputLine) + Send + Sync + 'static {
    move |OutputLine { action, action_execution_id: id, text, .. }| {
        // A command gets the secret configuration values, and may print them.
        let text = engine.look(|engine| Some(engine.without_secrets(engine.action(id)?.2, text)));
        let line = text.map(|text| Line { at: clock.now(), from: action.clone(), text });
        line.into_iter().for_each(|line| logs.add(id, line));
    }
}

/// The address for clients of this machine. One that listens on all addresses also listens on the loopback address.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
