//! The lines of a command's output in the log.

use std::time::Duration;

use codepipeline_worker::actions::command::LogOutput;
use codepipeline_worker::job::Failure;
use serde_json::Value;

use super::scenario::{Scenario, program, sh};
use crate::support::log::logged;

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
