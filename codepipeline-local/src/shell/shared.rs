//! State that the requests and the driver of an emulator share.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::runs::Runs;
use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::faults::{DelayedCalls, Faults};
use crate::invocation::JobInvocation;
use crate::kept_engine::KeptEngine;
use crate::page::Page;
use crate::request_log::RequestLog;
use crate::s3::Store;
use crate::subscribers::Subscribers;
use crate::types::{Grant, Permissions};

/// The engine, the store, and the subscribers.
pub(crate) struct Shared {
    pub(crate) engine: KeptEngine,
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
    /// The actions that providers run.
    pub(crate) runs: Runs,
    pub(crate) page: Arc<Page>,
}

/// The permissions, as S3 sees them.
pub(crate) struct EnginePermissions(pub(crate) KeptEngine);

impl Permissions for EnginePermissions {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.0.look(|engine| engine.grant(access_key_id))
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        self.0.look(|engine| engine.is_artifact_store(bucket))
    }
}
