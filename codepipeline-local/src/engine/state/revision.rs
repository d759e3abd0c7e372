//! Revisions of sources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::Timestamp;

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Revision {
    pub(crate) id: String,
    pub(crate) change_id: String,
    pub(crate) created: Timestamp,
    pub(crate) summary: Option<String>,
}

/// The revision that a source action reads instead of the latest one.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct RequestedRevision {
    /// Another key in the S3 source's bucket.
    pub(in crate::engine) object_key: Option<String>,
    /// A version of the S3 source's object.
    pub(in crate::engine) object_version: Option<String>,
    /// The revision of a `PutActionRevision`.
    pub(crate) revision: Option<Revision>,
}

/// Requested revisions by source action name.
pub(crate) type RequestedRevisions = BTreeMap<String, RequestedRevision>;
