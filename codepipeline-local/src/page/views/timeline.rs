//! The steps and log lines of an action.

use serde_json::{Value, json};

use crate::action_logs::{ActionLogs, Line};
use crate::api::object;
use crate::engine::{ActionExecution, Step};
use crate::page::view::View;

/// The steps of an action execution with their numbers, oldest first.
pub(super) fn steps(action: &ActionExecution) -> impl Iterator<Item = (u64, Value)> {
    action.timeline.steps().map(|(number, step)| (number, item(number, step)))
}

fn item(number: u64, step: &Step) -> Value {
    object([
        ("n", number.into()),
        ("at", step.at.0.into()),
        ("kind", json!(step.kind)),
        ("job", step.job.clone().into()),
        ("round", step.round.into()),
        ("detail", step.until.map(|until| until.0).into()),
    ])
}

/// The number of the last line of an action's log that a client has read.
#[derive(Default)]
pub(in crate::page) struct LogPosition(u64);

/// The lines that the client has not read yet, as the data of an event. `None` if it has read all. Without lines, the event says how
/// many were dropped.
pub(in crate::page) fn log_lines(logs: &ActionLogs, view: &View, read: &mut LogPosition) -> Option<Value> {
    let View::Action { id } = view else { return None };
    let found = logs.lines_after(id, read.0);
    if found.lines.is_empty() && found.dropped <= read.0 {
        return None;
    }
    read.0 = found.first + found.lines.len() as u64 - 1;
    let line = |line: Line| json!({"at": line.at.0, "from": line.from, "text": line.text});
    let lines: Vec<Value> = found.lines.into_iter().map(line).collect();
    Some(json!({"first": found.first, "lines": lines, "dropped": found.dropped}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Timestamp;

    #[test]
    fn dropped_lines_are_counted_once() {
        let logs = ActionLogs::default();
        let line = |text: &str| Line { at: Timestamp(1), from: "Make".to_owned(), text: text.to_owned() };
        logs.add("a", line("one"));
        let long = "x".repeat(16 * 1024);
        while logs.lines_after("a", 0).dropped == 0 {
            logs.add("b", line(&long));
        }
        let (view, mut read) = (View::Action { id: "a".to_owned() }, LogPosition::default());
        assert_eq!(log_lines(&logs, &view, &mut read), Some(json!({"first": 2, "lines": [], "dropped": 1})));
        assert_eq!(log_lines(&logs, &view, &mut read), None);
        logs.add("a", line("two"));
        let lines = log_lines(&logs, &view, &mut read).unwrap();
        assert_eq!((&lines["first"], &lines["lines"][0]["text"]), (&json!(2), &json!("two")));
    }
}
