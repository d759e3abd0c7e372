//! The limits of a document.

/// How many values a document may have, with its aliases expanded.
pub(super) const MAX_NODES: usize = 500_000;

/// How many bytes the values of a document may have, with its aliases expanded.
pub(super) const MAX_EXPANDED_BYTES: usize = 64 << 20;

/// How deep lists and maps may be nested. `serde_json` allows 127.
pub(super) const MAX_DEPTH: usize = 100;

/// How many repeated keys a text may have where they are allowed. Each costs a walk through its map.
pub(super) const MAX_REPEATED: usize = 100;
