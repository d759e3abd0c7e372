//! The output of actions, kept for the page: the lines of providers, and those lines of workers and functions that belong to a job.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::types::Timestamp;

/// How many lines of an action are kept. Later ones replace the oldest.
const LINES: usize = 5_000;
/// The longest line, in bytes. The rest is cut.
const LONGEST: usize = 16 * 1024;
/// The size of all logs in bytes. Beyond it, the oldest lines are dropped.
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
    /// An action whose lines were all dropped keeps its log, for the numbers of its next lines.
    by_action: BTreeMap<Arc<str>, Log>,
    /// The action of each kept line, by the line's place among the lines of all actions.
    places: BTreeMap<u64, Arc<str>>,
    last_place: u64,
    bytes: usize,
}

#[derive(Default)]
struct Log {
    /// The lines with their places, oldest first.
    lines: VecDeque<(u64, Line)>,
    dropped: u64,
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
        self.lock().add(action, line);
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
        let lines: Vec<Line> = log.lines.iter().skip(known).map(|(_, line)| line.clone()).collect();
        Lines { first: log.dropped.max(number) + 1, lines, dropped: log.dropped }
    }

    fn lock(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Logs {
    fn add(&mut self, action: &str, line: Line) {
        let known = self.by_action.get_key_value(action).map(|(known, _)| Arc::clone(known));
        let action = known.unwrap_or_else(|| Arc::from(action));
        self.last_place += 1;
        self.bytes += line.size();
        self.places.insert(self.last_place, Arc::clone(&action));
        let log = self.by_action.entry(Arc::clone(&action)).or_default();
        log.lines.push_back((self.last_place, line));
        if log.lines.len() > LINES {
            self.drop_oldest_of(&action);
        }
        while self.bytes > TOTAL
            && let Some((_, oldest)) = self.places.pop_first()
        {
            self.drop_oldest_of(&oldest);
        }
    }

    fn drop_oldest_of(&mut self, action: &str) {
        let Some(log) = self.by_action.get_mut(action) else { return };
        let Some((place, line)) = log.lines.pop_front() else { return };
        log.dropped += 1;
        self.bytes = self.bytes.saturating_sub(line.size());
        self.places.remove(&place);
    }
}

impl Line {
    /// The line's share of the memory. Each line costs more than its text.
    fn size(&self) -> usize {
        self.text.len() + self.from.len() + 128
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
    fn oldest_lines_of_all_actions_make_room() {
        let logs = ActionLogs::default();
        let mut expected = BTreeMap::from([("long", 0), ("short", 0)]);
        let text = "x".repeat(LONGEST);
        // The long action begins first, and still runs when the room is used up.
        logs.add("long", line("first"));
        for action in ["short", "long", "long"].repeat(LINES / 3) {
            logs.add(action, line(&text));
            *expected.entry(action).or_default() += 1;
        }
        let (long, short) = (logs.lines_after("long", 0), logs.lines_after("short", 0));
        assert!(long.dropped > 1 && short.dropped > 0);
        assert_eq!(long.first + long.lines.len() as u64, expected["long"] + 2, "the latest are kept");
        assert_eq!(short.first + short.lines.len() as u64, expected["short"] + 1);
        let kept = logs.lock();
        assert_eq!(kept.places.len(), long.lines.len() + short.lines.len());
        let bytes: usize = long.lines.iter().chain(&short.lines).map(Line::size).sum();
        assert!(kept.bytes == bytes && bytes <= TOTAL && bytes + 2 * LONGEST > TOTAL);
    }

    #[test]
    fn numbers_continue_after_all_lines_were_dropped() {
        let logs = ActionLogs::default();
        logs.add("a", line("one"));
        logs.add("a", line("two"));
        let text = "x".repeat(LONGEST);
        while logs.lines_after("a", 0).dropped < 2 {
            logs.add("b", line(&text));
        }
        assert_eq!(logs.lines_after("a", 2), Lines { first: 3, lines: vec![], dropped: 2 });
        logs.add("a", line("three"));
        assert_eq!(logs.lines_after("a", 2), Lines { first: 3, lines: vec![line("three")], dropped: 2 });
    }
}
