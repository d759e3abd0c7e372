//! The current commit and branch.

use super::git::{Git, GitProblem};
use crate::types::Timestamp;

/// A commit.
pub(super) struct Commit {
    /// The full hash.
    pub(super) id: String,
    pub(super) authored: Timestamp,
    pub(super) committed: Timestamp,
    pub(super) message: String,
}

/// The current commit; `None` before the first.
pub(super) async fn current(git: &Git) -> Result<Option<Commit>, GitProblem> {
    if git.look(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]).await?.is_none() {
        return Ok(None);
    }
    let format = "--format=%H%x00%at%x00%ct%x00%B";
    let output = git.ask(&["log", "-1", "--no-color", "--encoding=UTF-8", format, "HEAD"]).await?;
    let output = String::from_utf8_lossy(&output);
    let mut fields = output.splitn(4, '\0');
    let mut field = || fields.next().ok_or_else(|| git.failed("log", "it printed too few fields".to_owned()));
    let (id, authored, committed, message) = (field()?, field()?, field()?, field()?);
    // A date before 1970 is negative.
    let moment = |seconds: &str| Timestamp(seconds.parse::<u64>().unwrap_or(0).saturating_mul(1000));
    Ok(Some(Commit {
        id: id.to_owned(),
        authored: moment(authored),
        committed: moment(committed),
        message: message.trim().to_owned(),
    }))
}

/// The branch that is checked out; `None` for a detached commit.
pub(super) async fn branch(git: &Git) -> Result<Option<String>, GitProblem> {
    let name = git.look(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
    Ok(name.map(|name| String::from_utf8_lossy(&name).trim().to_owned()))
}

/// Whether the repository lacks a part of its history, as after `git clone --depth`.
pub(super) async fn is_shallow(git: &Git) -> Result<bool, GitProblem> {
    Ok(git.ask(&["rev-parse", "--is-shallow-repository"]).await?.starts_with(b"true"))
}
