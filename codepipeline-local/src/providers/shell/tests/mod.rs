//! Sessions with real shells.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::{Ended, Limits, Session, Settings, Shell, ShellError};

mod ends;
mod output;
mod state;

/// Long enough for every command here on a busy machine.
const TIME: Duration = Duration::from_secs(60);

/// A session's settings, and the lines that it showed.
struct Place {
    folder: TempDir,
    scratch: TempDir,
    environment: BTreeMap<String, String>,
    lines: Arc<Mutex<Vec<String>>>,
    show: Box<dyn Fn(&str) + Send + Sync>,
    shell: Shell,
    limits: Limits,
}

impl Place {
    fn new() -> Self {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let shown = lines.clone();
        Self {
            folder: TempDir::new().unwrap(),
            scratch: TempDir::new().unwrap(),
            environment: BTreeMap::new(),
            lines,
            show: Box::new(move |line| shown.lock().unwrap().push(line.to_owned())),
            shell: Shell::Sh,
            limits: Limits::of(TIME),
        }
    }

    fn session(&self) -> Session<'_> {
        Session::new(Settings {
            shell: self.shell,
            folder: self.folder.path(),
            scratch: self.scratch.path(),
            environment: &self.environment,
            limits: self.limits,
            show: &*self.show,
        })
    }

    /// The lines so far, which are then forgotten.
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// Runs `commands` in one shell. Returns the lines and the last command's end.
async fn run(place: &Place, commands: &[&str]) -> (Vec<String>, Ended) {
    let mut session = place.session();
    let mut ended = Ended::Exited(0);
    for command in commands {
        ended = session.run(command).await.unwrap();
    }
    session.end().await;
    (place.lines(), ended)
}
