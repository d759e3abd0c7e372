//! How much CodePipeline takes of each part of a report.
//!
//! Texts are counted in characters, as the API model counts them (`ExecutionDetails`, `FailureDetails`, `CurrentRevision`).
//! Output variables are counted in bytes, as the user guide counts them ("Quotas").

/// A summary, of an execution or of a revision.
pub const SUMMARY: usize = 2048;
/// The message of a failure.
pub const MESSAGE: usize = 5000;
/// An external execution id.
pub const EXTERNAL_EXECUTION_ID: usize = 1500;
/// A revision.
pub const REVISION: usize = 1500;
/// The change identifier of a revision.
pub const CHANGE_IDENTIFIER: usize = 100;
/// A continuation token, with the envelope that the worker puts around the action's own.
pub const CONTINUATION_TOKEN: usize = 2048;
/// All output variables of an action together. The guide does not say whether names count, so the worker counts them.
pub const VARIABLES_BYTES: usize = 122_880;
