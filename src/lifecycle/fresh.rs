//! Gives a job's store fresh credentials, so that the store need not name the queue, nor the queue the store.

use std::future::Future;
use std::pin::Pin;

use tokio::time::Instant;

use crate::artifacts::Renew;
use crate::job::{ActionTypeId, Credentials};
use crate::queue::{JobKey, Queue};
use crate::redact::{Learned, SecretName};

/// Makes the secrets of `credentials` known to the turn, whose log and report mask them.
pub(super) fn learn(learned: &Learned, credentials: &Credentials) {
    for secret in [&credentials.secret_access_key, &credentials.session_token] {
        learned.add(SecretName::Other("a part of the job's credentials"), secret.clone());
    }
}

/// Fetches the job's details, which hold new credentials.
pub(super) struct FromDetails {
    pub(super) queue: Queue,
    pub(super) key: JobKey,
    pub(super) action_type: ActionTypeId,
    /// When the job's turn ends.
    pub(super) end_by: Instant,
    pub(super) learned: Learned,
}

impl Renew for FromDetails {
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
        Box::pin(async {
            let details = self.queue.details(&self.key, &self.action_type, self.end_by).await;
            let details = details.map_err(|error| error.to_string())?;
            let fresh = details
                .credentials
                .ok_or_else(|| "CodePipeline returned the job's details without credentials".to_owned())?;
            learn(&self.learned, &fresh);
            Ok(fresh)
        })
    }
}
