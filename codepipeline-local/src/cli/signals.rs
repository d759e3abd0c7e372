//! The signals that end the program.

use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) struct Signals {
    terminated: Signal,
    interrupted: Signal,
    /// The terminal was closed. `None` under `nohup`, which ignores this signal.
    hung_up: Option<Signal>,
}

impl Signals {
    /// From now on, these signals do not end the program on their own.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
            hung_up: if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// Waits for a signal and names it.
    pub(super) async fn next(&mut self) -> &'static str {
        let hung_up = async {
            match &mut self.hung_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminated.recv() => "SIGTERM",
            _ = self.interrupted.recv() => "interrupted",
            _ = hung_up => "SIGHUP",
        }
    }
}

/// Whether this program was started with SIGHUP ignored: the lowest bit of `SigIgn` in proc_pid_status(5).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
