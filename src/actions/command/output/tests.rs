use std::io::Write;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::log::ROOMS;
use super::*;

/// A log that a test reads, and may block.
#[derive(Clone, Default)]
struct Written(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    text: Vec<u8>,
    is_blocked: bool,
}

impl Written {
    fn set_blocked(&self, is_blocked: bool) {
        self.0.0.lock().unwrap().is_blocked = is_blocked;
        self.0.1.notify_all();
    }

    /// The lines. One event may hold several, which `telemetry` divides.
    fn lines(&self) -> Vec<Value> {
        let state = self.0.0.lock().unwrap();
        let mut lines = Vec::new();
        for event in std::str::from_utf8(&state.text).unwrap().lines() {
            let mut event: Value = serde_json::from_str(event).unwrap();
            let messages = event["message"].take();
            for message in messages.as_str().unwrap().split('\n') {
                let mut line = event.clone();
                line["message"] = message.into();
                lines.push(line);
            }
        }
        lines
    }

    /// The messages, each after the first letter of its stream.
    fn messages(&self) -> Vec<String> {
        let shown = |line: &Value| {
            let stream = line["stream"].as_str().map_or("", |stream| &stream[3..4]);
            format!("{stream} {}", line["message"].as_str().unwrap())
        };
        self.lines().iter().map(shown).collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = self.0.0.lock().unwrap();
        let mut state = self.0.1.wait_while(state, |state| state.is_blocked).unwrap();
        state.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Output that goes to a log of its own, in a span with an id.
fn output(wanted: LogOutput, secrets: &[&str]) -> (Output, Written) {
    output_with(HEAD, wanted, secrets)
}

fn output_with(head: Head, wanted: LogOutput, secrets: &[&str]) -> (Output, Written) {
    let written = Written::default();
    let writer = written.clone();
    let redactor = Arc::new(Redactor::new(secrets));
    let mut layer = json_subscriber::JsonLayer::new(move || writer.clone());
    layer.with_level("level").with_flattened_event().with_top_level_flattened_span_list();
    let output = tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info_span!("job", jobId = "7").in_scope(|| Output::with_head(head, wanted, redactor).unwrap())
    });
    (output, written)
}

async fn end(output: Output, ended: Ended) -> Option<String> {
    output.end(ended, Instant::now() + Duration::from_secs(60)).await
}

#[tokio::test]
async fn each_line_is_logged_with_its_stream_and_the_jobs_id() {
    let (mut output, written) = output(LogOutput::All, &["first\nsecret", "hunter2"]);
    for (stream, bytes) in [
        (Stream::Stdout, "one\nfir"),
        (Stream::Stderr, "hun\u{1b}[3"),
        (Stream::Stdout, "st\nsecret\n\ntwo"),
        (Stream::Stderr, "1mter2\n"),
    ] {
        output.push(stream, bytes.as_bytes(), &mut None);
    }
    assert_eq!(end(output, Ended::Failed).await.unwrap(), "one\n****\n\n****\ntwo");
    assert_eq!(written.messages(), ["o one", "o ****", "o ", "e ****", "o two"]);
    assert!(
        written.lines().iter().all(|line| line["jobId"] == "7" && line["level"] == "INFO"),
        "{:?}",
        written.lines()
    );
}

#[test]
fn the_beginning_has_20_mib_and_half_a_million_lines() {
    let mut head = HEAD;
    assert_eq!(head.take(&vec![b'x'; 25 << 20]), 20 << 20);
    assert!(!head.is_open());
    let mut head = HEAD;
    assert_eq!(head.take("y\n".repeat(600_000).as_bytes()), 1_000_000);
    assert!(!head.is_open() && head.take(b"y\n") == 0);
}

/// The beginning in these tests: 200 lines of [`line`].
const SMALL: Head = Head { bytes: 200 * 1024, lines: 5000 };

/// A line of 1 KiB with a secret.
fn line() -> Vec<u8> {
    [b"hunter2 ".as_slice(), &[b'x'; 1015], b"\n"].concat()
}

#[tokio::test]
async fn only_the_end_is_logged_after_the_beginning() {
    let (mut output, written) = output_with(SMALL, LogOutput::All, &["hunter2"]);
    let (line, total) = (line(), 500);
    for _ in 0..total {
        output.push(Stream::Stdout, &line, &mut None);
    }
    output.push(Stream::Stderr, b"the end", &mut None);
    let _ = end(output, Ended::Succeeded).await;

    let lines = written.messages();
    let gap = lines.iter().position(|line| line.contains("left out the middle")).unwrap();
    assert_eq!(gap, 200);
    assert!(
        lines[..gap].iter().all(|line| line.starts_with("o **** xxx") && line.len() == 7 + 1015),
        "{}",
        lines[gap - 1]
    );
    let missing = total * line.len() + "the end".len() - SMALL.bytes - KEPT;
    assert_eq!(written.lines()[gap]["bytes"], missing);
    let end = &lines[gap + 1..];
    assert!((63..=65).contains(&end.len()) && end.last().unwrap() == "e the end", "{}", end.len());
    assert!(end[1..end.len() - 1].iter().all(|line| *line == lines[0]), "{}", end[1]);
    assert!(lines.iter().all(|line| !line.contains("hunter2")));
}

#[tokio::test]
async fn a_little_more_than_the_beginning_is_logged_without_a_gap() {
    let (mut output, written) = output_with(SMALL, LogOutput::All, &["hunter2"]);
    let text: Vec<u8> = line().into_iter().cycle().take(SMALL.bytes - 5).collect();
    output.push(Stream::Stdout, &text, &mut None);
    // The end of the beginning divides this secret.
    output.push(Stream::Stdout, b"yhunter2y", &mut None);
    output.push(Stream::Stderr, &[b'z'; KEPT - 4], &mut None);
    let _ = end(output, Ended::Succeeded).await;
    let lines = written.messages();
    assert!(lines.iter().all(|line| !line.contains("left out") && !line.contains("hunter")));
    assert!(lines.iter().any(|line| line.ends_with("y****y")));
    assert_eq!(lines.iter().filter(|line| line.starts_with("e z")).map(|line| line.len() - 2).sum::<usize>(), KEPT - 4);
}

#[tokio::test]
async fn many_short_lines_are_limited_too() {
    let (mut output, written) = output_with(SMALL, LogOutput::All, &[]);
    output.push(Stream::Stdout, "y\n".repeat(60_000).as_bytes(), &mut None);
    let _ = end(output, Ended::Succeeded).await;
    assert_eq!(written.messages().len(), SMALL.lines + 1 + KEPT / 2);
    assert_eq!(written.lines()[SMALL.lines]["bytes"], 120_000 - 2 * SMALL.lines - KEPT);
}

#[tokio::test]
async fn output_of_a_failed_command_alone_is_logged_on_request() {
    for (ended, expected, text) in
        [(Ended::Succeeded, vec![], None), (Ended::Failed, vec!["o one", "e two"], Some("one\ntwo"))]
    {
        let (mut output, written) = output(LogOutput::Failure, &[]);
        output.push(Stream::Stdout, b"one\n", &mut None);
        output.push(Stream::Stderr, b"two\n", &mut None);
        assert_eq!(end(output, ended).await.as_deref(), text);
        assert_eq!(written.messages(), expected);
    }
    let (mut output, written) = output(LogOutput::Failure, &[]);
    output.push(Stream::Stdout, "x\n".repeat(KEPT).as_bytes(), &mut None);
    let _ = end(output, Ended::Failed).await;
    assert_eq!(written.lines()[0]["bytes"], KEPT);
    assert_eq!(written.lines().len(), 1 + KEPT / 2);
}

#[tokio::test]
async fn unwanted_output_is_not_logged_and_still_explains_a_failure() {
    let (mut output, written) = output(LogOutput::None, &["hunter2"]);
    output.push(Stream::Stdout, b"a hunter2\n", &mut None);
    assert_eq!(end(output, Ended::Failed).await.as_deref(), Some("a ****"));
    assert!(written.lines().is_empty());
}

#[tokio::test]
async fn a_cancelled_command_logs_what_was_read() {
    for wanted in [LogOutput::All, LogOutput::Failure] {
        let (mut output, written) = output(wanted, &["hunter2"]);
        output.push(Stream::Stdout, b"one\nhunter2 tw", &mut None);
        drop(output);
        assert_eq!(written.messages(), ["o one", "o **** tw"]);
    }
}

#[tokio::test]
async fn a_killed_commands_beginning_of_a_secret_is_not_logged() {
    for wanted in [LogOutput::All, LogOutput::Failure] {
        let (mut cancelled, written) = output(wanted, &["hunter2"]);
        cancelled.push(Stream::Stdout, b"x hunt", &mut None);
        drop(cancelled);
        assert_eq!(written.messages(), ["o x "]);

        let (mut killed, written) = output(wanted, &["hunter2"]);
        killed.push(Stream::Stdout, b"x hunt", &mut None);
        assert_eq!(end(killed, Ended::Killed).await.as_deref(), Some("x"));
        assert_eq!(written.messages(), ["o x "]);
    }
}

#[test]
fn no_thread_logs_output_at_a_quieter_level() {
    let quiet = tracing_subscriber::registry().with(tracing_subscriber::filter::LevelFilter::WARN);
    tracing::subscriber::with_default(quiet, || {
        assert!(Output::new(LogOutput::All, Arc::default()).unwrap().log.is_none());
    });
}

#[tokio::test]
async fn a_log_that_is_behind_stops_the_reader_and_loses_nothing() {
    let (mut output, written) = output(LogOutput::All, &[]);
    written.set_blocked(true);
    for _ in 0..ROOMS {
        let mut room = output.room().now_or_never().unwrap();
        output.push(Stream::Stdout, b"a line\n", &mut room);
    }
    assert!(output.room().now_or_never().is_none(), "the log is behind");
    written.set_blocked(false);
    let mut room = output.room().await;
    output.push(Stream::Stdout, b"the last line\n", &mut room);
    let _ = end(output, Ended::Succeeded).await;
    let messages = written.messages();
    assert_eq!((messages.len(), messages.last().unwrap().as_str()), (ROOMS + 1, "o the last line"));
}

/// Output of many lines whose log is blocked.
fn blocked() -> (Output, Written) {
    let (mut output, written) = output(LogOutput::All, &[]);
    written.set_blocked(true);
    (0..PIECES).for_each(|_| output.push(Stream::Stdout, PIECE.repeat(1000).as_bytes(), &mut None));
    (output, written)
}

const PIECES: usize = 4;
const PIECE: &str = "a line\n";

/// Opens the log. At most one event follows, and then the line that says how much is missing.
async fn assert_only_one_event_follows(written: &Written) {
    assert!(written.0.0.lock().unwrap().text.is_empty());
    written.set_blocked(false);
    while !written.messages().last().is_some_and(|last| last.contains("left out the rest")) {
        tokio::task::yield_now().await;
    }
    let lines = written.lines();
    let (last, logged) = lines.split_last().unwrap();
    assert!(logged.len() <= 128 && logged.iter().all(|line| line["message"] == "a line"), "{} lines", logged.len());
    assert_eq!(last["level"], "WARN");
    let missing = (PIECES * 1000 - logged.len()) * PIECE.len();
    assert_eq!(last["bytes"], missing);
}

#[tokio::test]
async fn a_blocked_log_delays_the_end_only_until_its_latest_time() {
    let (output, written) = blocked();
    let shown = output.end(Ended::Failed, Instant::now() + Duration::from_millis(50)).await;
    assert!(shown.unwrap().ends_with("a line"));
    assert_only_one_event_follows(&written).await;
}

#[tokio::test]
async fn a_blocked_log_delays_a_cancellation_only_briefly() {
    let (output, written) = blocked();
    drop(output);
    assert_only_one_event_follows(&written).await;
}

#[tokio::test]
async fn a_blocked_log_ends_after_its_end_is_cancelled() {
    let (output, written) = blocked();
    assert!(end(output, Ended::Failed).now_or_never().is_none());
    assert_only_one_event_follows(&written).await;
}
