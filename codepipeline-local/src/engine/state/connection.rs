//! Connections between customers and partners.

use serde::{Deserialize, Serialize};

use super::action_type::ActionType;

/// The connection of one customer with a partner. Holds the client's secret, so it has no `Debug`.
#[derive(Clone, Deserialize, Serialize)]
pub struct Connection {
    /// A UUID. Polls return it with each job id.
    pub(crate) client_id: String,
    /// The secret in the partner's requests about the client's jobs.
    pub(crate) client_token: String,
    /// The partner's action type.
    pub(crate) action_type: ActionType,
    /// The pipelines that use the connection. `None`: each pipeline that no other connection names.
    pub(crate) pipelines: Option<Vec<String>>,
}
