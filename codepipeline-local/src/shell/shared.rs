//! What a running emulator's requests and its driver share.

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::faults::{DelayedCalls, Faults};
use crate::invocation::JobInvocation;
use crate::kept_engine::KeptEngine;
use crate::request_log::RequestLog;
use crate::s3::Store;
use crate::subscribers::Subscribers;
use crate::types::{Grant, Permissions};

/// The engine, the store, and those who listen.
pub(crate) struct Shared {
    pub(crate) engine: KeptEngine,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) log: RequestLog,
    pub(crate) endpoints: Endpoints,
    pub(crate) faults: Faults,
    /// What faults have put off.
    pub(crate) delayed_calls: DelayedCalls,
    /// Tells the driver of a change, and lets it tell when what follows from it is done.
    pub(crate) changed: mpsc::UnboundedSender<oneshot::Sender<()>>,
    pub(crate) events: Subscribers<Value>,
    pub(crate) invocations: Subscribers<JobInvocation>,
}

/// What S3 asks the engine.
pub(crate) struct EnginePermissions(pub(crate) KeptEngine);

impl Permissions for EnginePermissions {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.0.look(|engine| engine.grant(access_key_id))
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        self.0.look(|engine| engine.is_artifact_store(bucket))
    }
}
