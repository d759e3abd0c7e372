//! The runners of actions.

use std::path::PathBuf;

use super::mistake::Flag;

/// The runner of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// A source of a git repository, which the folder stands for.
    Folder(PathBuf),
    /// An S3 source, whose object holds the folder's files.
    Bucket { folder: PathBuf, bucket: String, key: String },
    /// A provider of this emulator, with a few words on what it does.
    Emulator(String),
    /// The commands of `--worker`.
    Worker,
    /// The function with this `--function`, which an action invokes.
    Function(String),
    /// The function with this `--function`, which polls.
    Polling(String),
    /// The command of `--provider`.
    StandIn,
    /// None; the text says why.
    Skipped(&'static str),
    /// A person, or `--yes`.
    Person,
    /// None yet.
    Missing { what: String, flag: Flag },
    /// None: the file has to change, as the text says.
    Wrong(String),
}
