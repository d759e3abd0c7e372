//! Errors and warnings about a file, for the user to read.

use std::fmt;
use std::path::{Path, PathBuf};

use super::place::Place;
use crate::yaml::Node;

/// An error or a warning about a file. It quotes names of the template and no value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: Option<PathBuf>,
    /// From 1. Only YAML has lines.
    pub(crate) line: Option<usize>,
    /// Where in the document, such as `Resources.Pipeline.Properties.Stages[0]`.
    pub(crate) path: Option<String>,
    /// Says what to type or change, too.
    pub(crate) message: String,
}

impl Problem {
    /// A problem with no place in a document.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { file: None, line: None, path: None, message: message.into() }
    }

    pub(super) fn at(place: &Place<'_>, root: &Node, message: impl Into<String>) -> Self {
        Self { line: place.line(root), path: Some(place.to_string()), ..Self::new(message) }
    }

    /// A problem of a whole file.
    pub(super) fn of_file(file: &Path, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), line, ..Self::new(message) }
    }

    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(formatter, ":{line}")?;
            }
            formatter.write_str(": ")?;
        }
        if let Some(path) = &self.path {
            write!(formatter, "{path}: ")?;
        }
        formatter.write_str(&self.message)
    }
}
