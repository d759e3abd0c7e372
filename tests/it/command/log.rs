//! The lines of a command's output in the log.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::command::LogOutput;
use codepipeline_worker::job::Failure;
use codepipeline_worker::telemetry;
use serde_json::Value;
use tracing::Level;
use tracing::instrument::WithSubscriber;

use super::scenario::{Scenario, program, sh};
use crate::support::children::Children;
use crate::support::log::{keep_statements_on, logged, logged_at};
use crate::support::until;

/// The lines of both streams, and what the command ended with.
async fn printed(scenario: Scenario) -> (Vec<(String, String)>, Option<Failure>) {
    let staged = scenario.stage();
    let (lines, ended) = logged(staged.start()).await;
    (of_commands(&lines), ended.err())
}

fn of_commands(lines: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let printed = lines.iter().filter(|line| line.get("stream").is_some());
    printed.map(|line| (text(&line["stream"]), text(&line["message"]))).collect()
}

fn messages<'l>(lines: &'l [(String, String)], stream: &str) -> Vec<&'l str> {
    lines.iter().filter(|(of, _)| of == stream).map(|(_, message)| message.as_str()).collect()
}

#[tokio::test]
async fn both_streams_are_logged_line_by_line() {
    let script = r#"echo one; echo two >&2; echo; printf '1%%\r100%%\n'; printf 'three\tand \033[31mfour\033[0m'"#;
    let (lines, failure) = printed(sh(script)).await;
    assert!(failure.is_none());
    assert_eq!(messages(&lines, "stdout"), ["one", "", "100%", "three\tand four"]);
    assert_eq!(messages(&lines, "stderr"), ["two"]);
}

#[tokio::test]
async fn secrets_are_masked_in_each_stream() {
    let script = r#"
        printf 'correct-'; printf '\033[1mhorse\n' ; echo "$CONFIG_KEY" >&2
        printf '%s' "$CONFIG_TOKEN" | base64 -w 0; printf '%s' "$CONFIG_TOKEN" | while read -r -n 1 c; do printf '%s' "$c"; done
        exit 3
    "#;
    let scenario = program(&["bash", "-c", script]);
    let scenario = scenario.secret("Token", "correct-horse").secret("Key", "BEGIN\nab\nthe last line");
    let (lines, failure) = printed(scenario).await;
    assert_eq!(messages(&lines, "stdout"), ["****", "********"]);
    assert_eq!(messages(&lines, "stderr"), ["****"]);
    let output = failure.unwrap().output.unwrap();
    assert!(!output.contains("correct") && !output.contains("horse") && !output.contains("ab\n"), "{output}");
}

#[tokio::test]
async fn output_before_a_timeout_is_logged() {
    let script = "trap '' TERM; echo one; printf two >&2; mkfifo never; read x < never";
    let scenario = sh(script).timeout(Duration::from_millis(500)).grace(Duration::from_millis(100));
    let (lines, failure) = printed(scenario).await;
    assert_eq!(failure.unwrap().code.as_str(), "CommandTimeout");
    assert_eq!((messages(&lines, "stdout"), messages(&lines, "stderr")), (vec!["one"], vec!["two"]));
}

#[tokio::test]
async fn output_before_a_cancellation_is_logged() {
    // The pipe holds 64 KiB, so the worker has read the first lines when the last one is written.
    let script = r#"seq 1 20000; echo > "$OUTPUT_OUT/written"; mkfifo never; read x < never"#;
    let staged = sh(script).stage();
    let (lines, ()) = logged(async {
        tokio::select! {
            _ = staged.start() => panic!("the command waits forever"),
            () = staged.wait_for("written") => {}
        }
    })
    .await;
    let lines = of_commands(&lines);
    let numbers = messages(&lines, "stdout");
    assert!(numbers.len() > 5000, "{} lines", numbers.len());
    // The worker may have read only a part of the last line.
    let whole = &numbers[..numbers.len() - 1];
    assert!(whole.iter().enumerate().all(|(at, number)| **number == (at + 1).to_string()));
}

#[tokio::test]
async fn output_is_logged_as_much_as_wanted() {
    for (wanted, exit_code, expected) in [
        (LogOutput::All, 0, vec!["one"]),
        (LogOutput::Failure, 0, vec![]),
        (LogOutput::Failure, 3, vec!["one"]),
        (LogOutput::None, 3, vec![]),
    ] {
        let (lines, failure) = printed(sh(&format!("echo one; exit {exit_code}")).logging(wanted)).await;
        assert_eq!(messages(&lines, "stdout"), expected, "{wanted:?} and exit code {exit_code}");
        assert!(failure.is_none_or(|failure| failure.output.as_deref() == Some("one")));
    }
}

/// How late a slow machine may notice that a turn has ended.
const LATE: Duration = Duration::from_secs(10);

/// Whether a log is open, and its text.
type Gate = (Mutex<(bool, Vec<u8>)>, Condvar);

/// A log that writes nothing until it is opened.
#[derive(Clone, Default)]
struct Closed(Arc<Gate>);

impl Write for Closed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = self.0.0.lock().unwrap();
        self.0.1.wait_while(state, |(is_open, _)| !*is_open).unwrap().1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_blocked_log_delays_no_timeout_and_counts_what_it_loses() {
    keep_statements_on();
    // The turn's time begins with `stage`, so the test waits for other tests before.
    let _children = Children::of_commands();
    let log = Closed::default();
    let writer = log.clone();
    let scenario = sh("exec seq 1 10000000").timeout(Duration::from_secs(1)).grace(Duration::from_millis(100));
    let staged = scenario.deadline(Duration::from_secs(4)).stage();
    let subscriber = telemetry::subscriber(Level::INFO, move || writer.clone());
    let failure = staged.start_alone().with_subscriber(subscriber).await.err().unwrap();
    // The command was waiting for the log, which is still closed. It ended at its own timeout.
    assert_eq!(failure.code.as_str(), "CommandTimeout");
    assert!(tokio::time::Instant::now() < staged.turn.deadline + LATE);

    log.0.0.lock().unwrap().0 = true;
    log.0.1.notify_all();
    // One event follows, and the line that says how much is missing.
    until(async || log.0.0.lock().unwrap().1.windows(17).any(|text| text == b"left out the rest")).await;
    let text = log.0.0.lock().unwrap().1.clone();
    let all = json_lines(&text);
    let lines = of_commands(&all);
    let numbers = messages(&lines, "stdout");
    assert!(numbers.len() <= 128, "{} lines", numbers.len());
    assert!(numbers.iter().enumerate().all(|(at, number)| **number == (at + 1).to_string()));
    let output = failure.output.unwrap();
    // The command was killed in the middle of its last line.
    let [last, before] = output.lines().rev().take(2).collect::<Vec<_>>()[..] else { panic!("{output}") };
    let length = |last: u64| (1..=last).map(|number| number.to_string().len() as u64 + 1).sum::<u64>();
    let read = length(before.parse().unwrap()) + last.len() as u64;
    let missing = all.last().unwrap()["bytes"].as_u64().unwrap();
    let counted = length(numbers.len() as u64) + missing;
    assert!((read..=read + 1).contains(&counted), "{counted} of {read} bytes");
}

#[tokio::test]
async fn output_of_a_killed_command_shows_no_beginning_of_a_secret() {
    let script = r#"printf 'x %.4s' "$CONFIG_TOKEN"; kill -KILL $$"#;
    let (lines, failure) = printed(program(&["bash", "-c", script]).secret("Token", "hunter2")).await;
    assert_eq!(messages(&lines, "stdout"), ["x "]);
    assert_eq!(failure.unwrap().output.as_deref(), Some("x"));
    let script = format!("bash -c '{}'; exit $?", script.replace('\'', "'\\''"));
    let (lines, _) = printed(program(&["bash", "-c", &script]).secret("Token", "hunter2")).await;
    assert_eq!(messages(&lines, "stdout"), ["x "]);
}

#[tokio::test]
async fn no_output_is_logged_at_a_quieter_level() {
    let staged = sh("echo one; exit 3").stage();
    let (lines, ended) = logged_at(Level::WARN, staged.start()).await;
    assert!(of_commands(&lines).is_empty(), "{lines:?}");
    assert_eq!(ended.err().unwrap().output.as_deref(), Some("one"));
}

fn json_lines(text: &[u8]) -> Vec<Value> {
    std::str::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
