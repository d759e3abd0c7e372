//! Where the output of workers and functions goes.

use std::sync::Arc;

use crate::server::Emulator;

/// Shows a line of a worker or a function, whose name comes first.
pub(super) type Show = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Shows each line with `show`, and adds it to the log of the action that it belongs to.
pub(super) fn noted(emulator: &Emulator, show: impl Fn(&str, &str) + Send + Sync + 'static) -> Show {
    let logs = emulator.program_logs();
    Arc::new(move |name, line| {
        logs.line(name, line);
        show(name, line);
    })
}
