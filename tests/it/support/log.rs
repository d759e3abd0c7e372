//! The worker's log lines, as the function writes them.

use std::fmt::{self, Formatter};
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use codepipeline_worker::telemetry;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
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
        self.text().lines().map(read_line).collect()
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

/// Reads a line of the log. Panics if a member comes twice: a reader then gets only one of the two values.
pub(crate) fn read_line(line: &str) -> Value {
    let members: Members = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Value::Object(members.0)
}

/// The members of an object, each with another name.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Map::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the log")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if self.0.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the member {name} comes twice")));
            }
        }
        Ok(self)
    }
}

/// The lines whose message contains this text.
pub(crate) fn with_message(lines: &[Value], part: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(part))).cloned().collect()
}
