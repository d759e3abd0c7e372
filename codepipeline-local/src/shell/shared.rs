//! State that the requests and the driver of an emulator share.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::admission::Admission;
use super::runs::Runs;
use crate::access_keys::AccessKeys;
use crate::action_logs::ActionLogs;
use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::faults::{DelayedCalls, Faults};
use crate::invocation::JobInvocation;
use crate::kept_engine::KeptEngine;
use crate::page::Page;
use crate::providers::Secrets;
use crate::request_log::RequestLog;
use crate::s3::Store;
use crate::subscribers::Subscribers;
use crate::types::{Grant, Permissions, User};

/// The engine, the store, and the subscribers.
pub(crate) struct Shared {
    pub(crate) engine: KeptEngine,
    pub(crate) admission: Admission,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) log: RequestLog,
    pub(crate) endpoints: Endpoints,
    pub(crate) faults: Faults,
    /// Calls that faults delay.
    pub(crate) delayed_calls: DelayedCalls,
    /// Notifies the driver of a change. The driver replies when the effects of the change are done.
    pub(crate) changed: mpsc::UnboundedSender<oneshot::Sender<()>>,
    pub(crate) events: Subscribers<Value>,
    pub(crate) invocations: Subscribers<JobInvocation>,
    pub(crate) action_logs: ActionLogs,
    /// Masked in what the page shows.
    pub(crate) secrets: Secrets,
    /// The actions that providers run.
    pub(crate) runs: Runs,
    pub(crate) page: Arc<Page>,
}

/// The permissions, as S3 sees them.
pub(crate) struct EnginePermissions {
    pub(crate) engine: KeptEngine,
    /// The keys of the only user, if there is one.
    pub(crate) keys: Option<Arc<AccessKeys>>,
}

impl Permissions for EnginePermissions {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.engine.look(|engine| engine.grant(access_key_id))
    }

    fn user(&self, access_key_id: &str) -> User {
        match &self.keys {
            None => User::Anyone,
            Some(keys) if keys.access_key_id() == access_key_id => User::Known(keys.secret_access_key().clone()),
            Some(_) => User::Unknown,
        }
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        self.engine.look(|engine| engine.is_artifact_store(bucket))
    }
}
