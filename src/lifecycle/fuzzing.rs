//! Continuation tokens, for `fuzz/`. No part of the public API.

use super::continuation::ActionRun;
use crate::job::{ActionTypeId, Failure};

/// Opens a token and seals what was in it again: what came out, and the same from the second token.
///
/// # Errors
/// When the token is none of this worker's for this action type.
pub fn open_and_seal_and_open(sealed: &str, action_type: &ActionTypeId) -> Result<[String; 2], Failure> {
    let opened = |(run, token): (ActionRun, &str)| format!("{run:?} {token:?}");
    let (run, token) = ActionRun::open(sealed, action_type)?;
    let again = run.seal(action_type, token)?;
    let first = opened((run, token));
    Ok([first, opened(ActionRun::open(&again, action_type)?)])
}
