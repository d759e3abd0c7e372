//! Why a text can't be read.

use std::fmt;

/// Why a text is not a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// From 1.
    pub(crate) line: Option<usize>,
    pub(crate) why: String,
}

impl Unreadable {
    /// The message with the name of the file, as in `file:LINE: why`.
    pub(crate) fn of(&self, file: &str) -> String {
        match self.line {
            Some(line) => format!("{file}:{line}: {}", self.why),
            None => format!("{file}: {}", self.why),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.why),
            None => formatter.write_str(&self.why),
        }
    }
}
