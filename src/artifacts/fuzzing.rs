//! Unpacking without S3, for `fuzz/`. No part of the public API.

use std::path::Path;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::lane::memory;
use super::{Problem, Staged, UnpackLimits, unpack};

/// Unpacks the object into the folder `into`, as [`super::Store::stage_in`] does when the first `head` bytes have come and
/// the rest has to be asked for. Blocks; `runtime` must have a thread of its own.
///
/// # Errors
/// As [`super::Store::stage_in`].
pub fn unpack(
    object: Bytes,
    head: usize,
    into: &Path,
    limits: &UnpackLimits,
    runtime: &Handle,
) -> Result<Staged, Problem> {
    unpack::unpack(&memory::with_head(object, head, runtime), "App", into, *limits)
}
