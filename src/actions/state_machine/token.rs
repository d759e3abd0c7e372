//! The continuation token, which names the execution.

use super::arn::is_execution;

/// The prefix of every token, and the only version so far.
const KIND: &str = "states/";
const VERSION: &str = "1";

/// Why a token names no execution.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenMistake {
    /// It comes from another kind of action, or from another worker.
    #[error(
        "the job's continuation token is not one of a state machine action: its action type was served by another kind of action \
         before, or another worker polls the same type"
    )]
    Foreign,
    /// It comes from another version of this action.
    #[error(
        "the job's continuation token has a version that this worker does not know; a newer worker serves the same type"
    )]
    Version,
}

/// `states/1:ARN`: at most 9 + 256 characters, since an ARN has at most 256 (API model, `Arn`).
pub(super) fn write(execution: &str) -> String {
    format!("{KIND}{VERSION}:{execution}")
}

/// Reads the execution's ARN.
pub(super) fn read(token: &str) -> Result<&str, TokenMistake> {
    let (version, execution) =
        token.strip_prefix(KIND).and_then(|rest| rest.split_once(':')).ok_or(TokenMistake::Foreign)?;
    if version != VERSION {
        return Err(TokenMistake::Version);
    }
    if is_execution(execution) { Ok(execution) } else { Err(TokenMistake::Foreign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_the_execution_back() {
        let execution = "arn:aws:states:eu-central-1:111122223333:execution:Deploy:e-1";
        assert_eq!(read(&write(execution)), Ok(execution));
    }

    #[test]
    fn foreign_tokens_and_those_of_other_versions_are_told_apart() {
        for foreign in ["", "{\"build\": 7}", "states/1", "states/1:", "states/1:arn:aws:s3:::bucket", "http/1:x"] {
            assert_eq!(read(foreign), Err(TokenMistake::Foreign), "{foreign}");
        }
        assert_eq!(read("states/2:{}"), Err(TokenMistake::Version));
    }
}
