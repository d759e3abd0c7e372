//! Continuation tokens and the reports of dead workers, for `fuzz/`. Not part of the public API.

use super::continuation::ActionRun;
use super::will::Will;
use crate::job::{ActionTypeId, Failure};

/// Opens a token, seals its content again and opens that. Returns both contents.
///
/// # Errors
/// Returns an error if this worker did not write the token for this action type.
pub fn open_and_seal_and_open(sealed: &str, action_type: &ActionTypeId) -> Result<[String; 2], Failure> {
    let opened = |(run, token): (ActionRun, &str)| format!("{run:?} {token:?}");
    let (run, token) = ActionRun::open(sealed, action_type)?;
    let again = run.seal(action_type, token)?;
    let first = opened((run, token));
    Ok([first, opened(ActionRun::open(&again, action_type)?)])
}

/// Reads the report that a dead worker left and writes it again, twice. Returns both texts.
pub fn wills(text: &str) -> [String; 2] {
    let first = Will::read(text, "run").write();
    let second = Will::read(&first, "run").write();
    [first, second]
}
