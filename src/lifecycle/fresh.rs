//! Gives a job's store fresh credentials, so that the store need not name the queue, nor the queue the store.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::artifacts::Renew;
use crate::job::{ActionTypeId, Credentials};
use crate::queue::{JobKey, Queue};

/// All credentials that a job received. The report masks each of them.
#[derive(Clone, Default)]
pub(super) struct Issued(Arc<Mutex<Vec<Credentials>>>);

impl Issued {
    pub(super) fn add(&self, credentials: Credentials) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(credentials);
    }

    pub(super) fn all(&self) -> Vec<Credentials> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Fetches the job's details, which hold new credentials.
pub(super) struct FromDetails {
    pub(super) queue: Queue,
    pub(super) key: JobKey,
    pub(super) action_type: ActionTypeId,
    /// When the job's turn ends.
    pub(super) end_by: Instant,
    pub(super) issued: Issued,
}

impl Renew for FromDetails {
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
        Box::pin(async {
            let details = self.queue.details(&self.key, &self.action_type, self.end_by).await;
            let details = details.map_err(|error| error.to_string())?;
            let fresh = details
                .credentials
                .ok_or_else(|| "CodePipeline returned the job's details without credentials".to_owned())?;
            self.issued.add(fresh.clone());
            Ok(fresh)
        })
    }
}
