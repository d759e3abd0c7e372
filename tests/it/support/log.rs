//! The worker's log lines, as the function writes them.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use codepipeline_worker::telemetry;
use serde_json::Value;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level};

/// The output of a subscriber. All clones share it.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines, each a JSON object.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Two subscribers that live as long as the process.
///
/// While there is only one, `tracing` asks the thread that reaches a log statement first whether anything logs it. A thread
/// of another test, which has no subscriber, then turns the statement off for all threads.
static TWO_SUBSCRIBERS: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [Dispatch::new(NoSubscriber::new()), Dispatch::new(NoSubscriber::new())]);

/// Keeps the tests of other threads from turning log statements off.
pub(crate) fn keep_statements_on() {
    LazyLock::force(&TWO_SUBSCRIBERS);
}

/// The lines that `work` logs itself, without the tasks that it starts, and its result.
pub(crate) async fn logged<T>(work: impl Future<Output = T>) -> (Vec<Value>, T) {
    logged_at(Level::INFO, work).await
}

/// The same at another level.
pub(crate) async fn logged_at<T>(level: Level, work: impl Future<Output = T>) -> (Vec<Value>, T) {
    keep_statements_on();
    let written = Written::default();
    let writer = written.clone();
    let result = work.with_subscriber(telemetry::subscriber(level, move || writer.clone())).await;
    (written.lines(), result)
}

/// The lines whose message contains this text.
pub(crate) fn with_message(lines: &[Value], part: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(part))).cloned().collect()
}
