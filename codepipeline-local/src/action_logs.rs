//! The output of actions, kept for the page: the lines of providers, and those lines of workers and functions that belong to a job.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::types::Timestamp;

/// How many lines of an action are kept. Later ones replace the oldest.
const LINES: usize = 5_000;
/// The longest line, in bytes. The rest is cut.
const LONGEST: usize = 16 * 1024;
/// The size of all logs in bytes. Beyond it, the logs of the oldest actions are dropped.
const TOTAL: usize = 64 * 1024 * 1024;

/// The logs of the latest action executions, by their ids.
#[derive(Clone, Default)]
pub(crate) struct ActionLogs {
    logs: Arc<Mutex<Logs>>,
    /// Counts the lines of all actions.
    added: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Logs {
    by_action: BTreeMap<String, Log>,
    /// The ids in the order of their first lines.
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Default)]
struct Log {
    lines: VecDeque<Line>,
    dropped: u64,
    bytes: usize,
}

/// A line of output, with the secrets masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    /// The name of the worker, the function or the action that wrote it.
    pub(crate) from: String,
    pub(crate) text: String,
}

/// The lines of an action from one on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// The number of the first of `lines`. The action's first line has the number 1.
    pub(crate) first: u64,
    pub(crate) lines: Vec<Line>,
    /// How many of the action's lines were dropped.
    pub(crate) dropped: u64,
}

impl ActionLogs {
    /// Adds a line to the log of an action execution.
    pub(crate) fn add(&self, action: &str, mut line: Line) {
        line.text.truncate(line.text.floor_char_boundary(LONGEST));
        let mut logs = self.lock();
        if !logs.by_action.contains_key(action) {
            logs.order.push_back(action.to_owned());
        }
        let log = logs.by_action.entry(action.to_owned()).or_default();
        let mut bytes = line.size();
        log.bytes += bytes;
        log.lines.push_back(line);
        if log.lines.len() > LINES
            && let Some(oldest) = log.lines.pop_front()
        {
            log.dropped += 1;
            log.bytes -= oldest.size();
            bytes = bytes.saturating_sub(oldest.size());
        }
        logs.bytes += bytes;
        while logs.bytes > TOTAL && logs.order.len() > 1 {
            logs.drop_oldest();
        }
        drop(logs);
        self.added.send_modify(|count| *count += 1);
    }

    /// The count of lines, to wait for the next one. It ends with the emulator.
    pub(crate) fn added(&self) -> watch::Receiver<u64> {
        self.added.subscribe()
    }

    /// The lines of an action execution after the line with this number. With 0, all that are kept.
    pub(crate) fn lines_after(&self, action: &str, number: u64) -> Lines {
        let logs = self.lock();
        let Some(log) = logs.by_action.get(action) else { return Lines::default() };
        let known = usize::try_from(number.saturating_sub(log.dropped)).unwrap_or(usize::MAX);
        let lines: Vec<Line> = log.lines.iter().skip(known).cloned().collect();
        Lines { first: log.dropped.max(number) + 1, lines, dropped: log.dropped }
    }

    fn lock(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Logs {
    fn drop_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        let log = self.by_action.remove(&oldest).unwrap_or_default();
        self.bytes = self.bytes.saturating_sub(log.bytes);
    }
}

impl Line {
    /// The line's share of the memory. Each line costs more than its text.
    fn size(&self) -> usize {
        self.text.len() + self.from.len() + 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { at: Timestamp(1), from: "Build".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn reader_gets_each_line_once() {
        let logs = ActionLogs::default();
        assert_eq!(logs.lines_after("a", 0), Lines::default());
        logs.add("a", line("one"));
        logs.add("b", line("other"));
        logs.add("a", line("two"));
        assert_eq!(logs.lines_after("a", 0), Lines { first: 1, lines: vec![line("one"), line("two")], dropped: 0 });
        assert_eq!(logs.lines_after("a", 1).lines, [line("two")]);
        assert_eq!(logs.lines_after("a", 2), Lines { first: 3, lines: vec![], dropped: 0 });
    }

    #[test]
    fn long_log_keeps_its_latest_lines() {
        let logs = ActionLogs::default();
        for number in 1..=LINES + 3 {
            logs.add("a", line(&number.to_string()));
        }
        let all = logs.lines_after("a", 0);
        assert_eq!((all.first, all.lines.len(), all.dropped), (4, LINES, 3));
        assert_eq!(all.lines[0], line("4"));
        assert_eq!(logs.lines_after("a", 2).first, 4, "a slow reader misses dropped lines");
        assert_eq!(logs.lines_after("a", LINES as u64 + 2).lines, [line(&(LINES + 3).to_string())]);
    }

    #[test]
    fn long_line_is_cut_between_characters() {
        let logs = ActionLogs::default();
        logs.add("a", line(&"é".repeat(LONGEST)));
        assert_eq!(logs.lines_after("a", 0).lines[0].text.len(), LONGEST);
    }

    #[test]
    fn oldest_logs_make_room() {
        let logs = ActionLogs::default();
        let text = "x".repeat(LONGEST);
        let actions: Vec<String> = (0..3).map(|number| number.to_string()).collect();
        for action in &actions {
            for _ in 0..LINES / 2 {
                logs.add(action, line(&text));
            }
        }
        assert!(logs.lock().bytes <= TOTAL);
        assert_eq!(logs.lines_after("0", 0), Lines::default(), "dropped whole");
        assert_eq!(logs.lines_after("2", 0).lines.len(), LINES / 2);
        let counted: usize = logs.lock().by_action.values().map(|log| log.bytes).sum();
        assert_eq!(logs.lock().bytes, counted);
    }
}
