//! The reader of an archive's files.

use std::io::{self, Read};

/// The next step at a file of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Leave it, and show the next one.
    Next,
    /// Read its content, and end.
    Read,
    /// End.
    End,
}

/// The reader of an archive's files.
pub(crate) trait Visitor {
    /// Takes a file's name and its size as the archive claims it. The name is only for show: it may be absolute, or lead elsewhere.
    fn file(&mut self, name: &str, bytes: u64) -> Choice;

    /// Reads the content of the chosen file.
    fn content(&mut self, content: &mut dyn Read) -> io::Result<()>;

    /// Whether the work may end, because nothing waits for it.
    fn has_gone(&self) -> bool;
}
