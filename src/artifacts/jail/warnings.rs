//! Entries that did not become what the archive says. The log names them when unpacking has finished.

use super::super::error::shown;
use super::super::name_list::NameList;

/// Entries that were skipped, and entries that became files because their type is unknown.
#[derive(Default)]
pub(super) struct Warnings {
    skipped: NameList,
    unknown: NameList,
}

impl Warnings {
    pub(super) fn add_skipped(&mut self, path: &[u8], what: &'static str) {
        self.skipped.add(|| format!("`{}` ({what})", shown(path)));
    }

    pub(super) fn add_unknown_type(&mut self, path: &[u8], letter: u8) {
        self.unknown.add(|| format!("`{}` (type `{}`)", shown(path), letter.escape_ascii()));
    }

    /// Logs at most one warning for each list.
    pub(super) fn log(&self) {
        if let Some(entries) = self.skipped.text() {
            tracing::warn!(entries, "skipped devices, named pipes or labels in the archive");
        }
        if let Some(entries) = self.unknown.text() {
            tracing::warn!(entries, "unpacked entries of unknown types as files");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_name_the_entry_and_its_type() {
        let mut warnings = Warnings::default();
        warnings.add_skipped(b"run/a\x1b", "named pipe");
        warnings.add_skipped(b"null", "device");
        assert_eq!(warnings.skipped.text().as_deref(), Some("`run/a\\u{1b}` (named pipe), `null` (device)"));
        warnings.add_unknown_type(b"odd", b'Q');
        assert_eq!(warnings.unknown.text().as_deref(), Some("`odd` (type `Q`)"));
    }
}
