//! Temporary credentials, scoped to one job's objects.

use super::random::Random;
use crate::types::{Grant, ObjectRef, Timestamp};

/// New credentials: the access key id, and the permissions behind it.
pub(crate) struct Issued {
    pub(crate) access_key_id: String,
    pub(crate) grant: Grant,
}

pub(crate) fn issue(
    random: &mut Random,
    expires: Timestamp,
    readable: Vec<ObjectRef>,
    writable: Vec<ObjectRef>,
    encryption_key: Option<String>,
) -> Issued {
    Issued {
        // STS gives this prefix to temporary access keys.
        access_key_id: format!("ASIA{}", random.text(16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
        grant: Grant {
            secret_access_key: random.alphanumeric(40),
            session_token: random.alphanumeric(200),
            expires,
            readable,
            writable,
            encryption_key,
        },
    }
}
