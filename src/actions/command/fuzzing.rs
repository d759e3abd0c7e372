//! Readers of a command's report files, for `fuzz/`. Not a part of the public API.

use std::collections::BTreeMap;

/// The output variables in the bytes of an OUTPUT_VARIABLES file.
///
/// # Errors
/// The mistake in the file, as text.
pub fn variables(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    super::variables::read(bytes).map_err(|mistake| mistake.to_string())
}

/// The revision and the change identifier in the bytes of a REVISION file.
///
/// # Errors
/// The mistake in the file, as text.
pub fn revision(bytes: &[u8]) -> Result<Option<(String, String)>, String> {
    let revision = super::revision::read(bytes).map_err(|mistake| mistake.to_string())?;
    Ok(revision.map(|revision| (revision.revision, revision.change_identifier)))
}
