//! Standard output, written by a thread of its own.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many bytes wait while the reader of standard output is slow. Lines beyond that are left out.
const MOST: usize = 1 << 20;
/// How long the end waits until the lines before it are written.
const LAST: Duration = Duration::from_secs(1);

/// Writes lines in the order of their calls, without making the callers wait: a reader that stops reading stops neither the emulator nor
/// a worker. Dropping it waits at most 1 s until all is written.
pub(super) struct StandardOutput(Arc<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// How many lines came after the text and found no place.
    left_out: u64,
    is_closing: bool,
    has_ended: bool,
}

impl StandardOutput {
    pub(super) fn start() -> std::io::Result<Self> {
        Self::to(std::io::stdout())
    }

    fn to(writer: impl Write + Send + 'static) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let written = Arc::clone(&queue);
        std::thread::Builder::new().name("standard output".to_owned()).spawn(move || written.write(writer))?;
        Ok(Self(queue))
    }

    /// Writes a line.
    pub(super) fn lines(&self) -> impl Fn(&str) + Send + Sync + use<> {
        let queue = Arc::clone(&self.0);
        move |line| queue.add(line)
    }
}

impl Drop for StandardOutput {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.is_closing = true;
        self.0.changed.notify_all();
        // The thread of a reader that does not read ends with the program.
        drop(self.0.changed.wait_timeout_while(waiting, LAST, |waiting| !waiting.has_ended));
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &str) {
        let mut waiting = self.lock();
        if waiting.left_out > 0 || waiting.text.len() >= MOST {
            waiting.left_out += 1;
            return;
        }
        waiting.text.extend_from_slice(line.as_bytes());
        waiting.text.push(b'\n');
        self.changed.notify_all();
    }

    /// Writes what comes until the end.
    fn write(&self, mut writer: impl Write) {
        loop {
            let waiting = self.lock();
            let is_idle = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.is_closing;
            let mut waiting = self.changed.wait_while(waiting, is_idle).unwrap_or_else(PoisonError::into_inner);
            if waiting.text.is_empty() {
                waiting.has_ended = true;
                self.changed.notify_all();
                return;
            }
            let mut text = std::mem::take(&mut waiting.text);
            let left_out = std::mem::take(&mut waiting.left_out);
            drop(waiting);
            if left_out > 0 {
                text.extend(format!("(here {left_out} lines are left out: this output was not read)\n").into_bytes());
            }
            // The reader of standard output may be gone. That ends no worker.
            let _ = writer.write_all(&text).and_then(|()| writer.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Hands over each text, and takes the next one only when the test says so.
    struct Slow {
        texts: Sender<String>,
        go: Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.texts.send(String::from_utf8_lossy(text).into_owned()).map_err(std::io::Error::other)?;
            self.go.recv().map_err(std::io::Error::other)?;
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_find_no_place_are_counted() {
        let ((texts, written), (ready, go)) = (channel(), channel());
        let out = StandardOutput::to(Slow { texts, go }).unwrap();
        let line = out.lines();
        line("first");
        assert_eq!(written.recv().unwrap(), "first\n");
        // The writer waits now, as for a pipe that is full.
        let long = "x".repeat(MOST - 1);
        for text in [&long, "lost", "lost too"] {
            line(text);
        }
        ready.send(()).unwrap();
        let note = "(here 2 lines are left out: this output was not read)\n";
        assert_eq!(written.recv().unwrap(), format!("{long}\n{note}"));
        line("last");
        ready.send(()).unwrap();
        ready.send(()).unwrap();
        drop(out);
        assert_eq!(written.recv().unwrap(), "last\n");
    }
}
