//! CodeBuild's build specification: what a build runs, and what it leaves.
//!
//! All is done as AWS's CodeBuild User Guide says, in "Build specification reference for CodeBuild", which this code calls the reference.
//!
//! [`read()`] reads the text. [`environment`] collects the variables. [`run`] runs the phases. [`artifacts`] finds the files of artifacts.

use std::collections::BTreeMap;

use super::shell::Shell;

pub(crate) mod artifacts;
pub(crate) mod environment;
mod members;
mod phase;
mod read;
mod read_environment;
pub(crate) mod run;
pub(crate) mod secret;
#[cfg(test)]
mod tests;

pub(crate) use phase::{OnFailure, Phase};
pub(crate) use read::{Spec, read};

/// A build specification.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Buildspec {
    pub(crate) version: Version,
    pub(crate) environment: Environment,
    /// The phases in their order. Those that the text does not have are missing.
    pub(crate) phases: Vec<(Phase, Commands)>,
    pub(crate) artifacts: Option<Artifacts>,
}

/// The version decides whether commands share a shell ("Buildspec versions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// 0.1: each command has a shell of its own.
    Apart,
    /// 0.2: all commands share one shell.
    Shared,
}

/// The member `env`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Environment {
    pub(crate) shell: Shell,
    pub(crate) variables: BTreeMap<String, environment::Value>,
    /// The names of variables that become output variables of the action.
    pub(crate) exported: Vec<String>,
}

/// The commands of a phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Commands {
    pub(crate) commands: Vec<String>,
    pub(crate) finally: Vec<String>,
    /// `None` where the text has no `on-failure`.
    pub(crate) on_failure: Option<OnFailure>,
}

/// The member `artifacts`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Artifacts {
    pub(crate) primary: FileSet,
    /// By their identifiers.
    pub(crate) secondary: BTreeMap<String, FileSet>,
}

/// The files of an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSet {
    /// Patterns relative to the base directory.
    pub(crate) files: Vec<String>,
    /// Patterns relative to the base directory.
    pub(crate) exclude_paths: Vec<String>,
    /// A folder, or a pattern of folders, relative to the build's folder.
    pub(crate) base_directory: Option<String>,
    pub(crate) discard_paths: bool,
    pub(crate) enable_symlinks: bool,
    pub(crate) name: Option<String>,
}
