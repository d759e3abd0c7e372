//! Unpacks without S3, for `fuzz/`. Not a part of the public API.

use std::path::Path;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::lane::memory;
use super::{Problem, Staged, UnpackLimits, unpack};

/// Unpacks the object into the folder `into` as [`super::Store::stage_in`] does. The first `head` bytes are in memory, and the
/// rest is requested in ranges. Blocks. `runtime` must have its own thread.
///
/// # Errors
/// The same as [`super::Store::stage_in`].
pub fn unpack(
    object: Bytes,
    head: usize,
    into: &Path,
    limits: &UnpackLimits,
    runtime: &Handle,
) -> Result<Staged, Problem> {
    unpack::unpack(&memory::with_head(object, head, runtime), "App", into, *limits)
}
