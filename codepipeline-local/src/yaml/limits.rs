//! The limits of a document.

/// How many values a document may have, with its aliases expanded.
pub(super) const MAX_NODES: usize = 500_000;

/// How many bytes the values of a document may have, with its aliases expanded.
pub(super) const MAX_EXPANDED_BYTES: usize = 64 << 20;

/// How deep lists and maps may be nested. `serde_json` allows 127.
pub(super) const MAX_DEPTH: usize = 100;
