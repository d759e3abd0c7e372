//! The notation of output variables, for `fuzz/`. No part of the public API.

use std::collections::BTreeMap;

use crate::redact::Redactor;

/// What the bytes of an OUTPUT_VARIABLES file say, without `secret`.
///
/// # Errors
/// As text, when they say nothing that CodePipeline takes.
pub fn variables(bytes: &[u8], secret: &str) -> Result<BTreeMap<String, String>, String> {
    super::variables::read(bytes, &Redactor::new([secret])).map_err(|mistake| mistake.to_string())
}
