//! Entries that the log names once unpacking is done.

use super::super::error::shown;

/// How many entries are named; of the others, only the number is logged.
const MOST_NAMED: usize = 8;

/// Entries that did not become what the archive says they are.
#[derive(Default)]
pub(super) struct Notes {
    skipped: List,
    unknown: List,
}

/// Entries as a log names them.
#[derive(Default)]
pub(in super::super) struct List {
    named: Vec<String>,
    count: usize,
}

impl Notes {
    pub(super) fn skipped(&mut self, path: &[u8], what: &'static str) {
        self.skipped.add(|| format!("`{}` ({what})", shown(path)));
    }

    pub(super) fn of_unknown_type(&mut self, path: &[u8], letter: u8) {
        self.unknown.add(|| format!("`{}` (type `{}`)", shown(path), letter.escape_ascii()));
    }

    /// Logs one warning for each kind of note.
    pub(super) fn log(&self) {
        if let Some(entries) = self.skipped.text() {
            tracing::warn!(entries, "skipped devices, pipes or labels in the archive");
        }
        if let Some(entries) = self.unknown.text() {
            tracing::warn!(entries, "unpacked entries of unknown types as files");
        }
    }
}

impl List {
    pub(in super::super) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.named.len() < MOST_NAMED {
            self.named.push(text());
        }
        self.count += 1;
    }

    /// The first few, and the number of the others.
    pub(in super::super) fn text(&self) -> Option<String> {
        let others = self.count - self.named.len();
        match (self.count, others) {
            (0, _) => None,
            (_, 0) => Some(self.named.join(", ")),
            _ => Some(format!("{} and {others} more", self.named.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_entries_are_named_and_the_others_counted() {
        let mut notes = Notes::default();
        assert_eq!(notes.skipped.text(), None);
        notes.skipped(b"run/a\x1b", "named pipe");
        notes.skipped(b"null", "device");
        assert_eq!(notes.skipped.text().as_deref(), Some("`run/a\\u{1b}` (named pipe), `null` (device)"));
        (0..100).for_each(|_| notes.skipped(b"x", "device"));
        assert!(notes.skipped.text().unwrap().ends_with(", `x` (device) and 94 more"));
        notes.of_unknown_type(b"odd", b'Q');
        assert_eq!(notes.unknown.text().as_deref(), Some("`odd` (type `Q`)"));
    }
}
