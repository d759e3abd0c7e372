//! Connections of customers with partners.

use serde::{Deserialize, Serialize};

use super::action_type::ActionType;

/// One customer's connection with a partner. Holds the client's secret: no `Debug`.
#[derive(Clone, Deserialize, Serialize)]
pub struct Connection {
    /// A UUID, which polls show beside a job's id.
    pub(crate) client_id: String,
    /// The secret that the partner's requests about the client's jobs must carry.
    pub(crate) client_token: String,
    /// The partner's action type.
    pub(crate) action_type: ActionType,
    /// The pipelines whose actions use the connection; every pipeline that no other one names, if `None`.
    pub(crate) pipelines: Option<Vec<String>>,
}
