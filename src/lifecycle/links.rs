//! Gives actions presigned links to their job's artifacts, so that actions need not name S3, nor the store the actions.

use std::sync::Arc;

use super::staging::{failure, store_of};
use crate::actions::{BoxFuture, Link, Links};
use crate::artifacts::{Presigned, Store};
use crate::job::{Artifact, Failure};

/// Creates links that are signed with one job's credentials.
pub(super) struct JobLinks {
    pub(super) store: Option<Arc<Store>>,
    pub(super) encryption_key: Option<String>,
}

impl Links for JobLinks {
    fn to_read<'a>(&'a self, input: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        Box::pin(async move {
            let presigned = self.store(input)?.presign_download(input).await;
            presigned.map(|presigned| link("GET", presigned)).map_err(|error| failure(&error))
        })
    }

    fn to_write<'a>(&'a self, output: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        Box::pin(async move {
            let presigned = self.store(output)?.presign_upload(output, self.encryption_key.as_deref()).await;
            presigned.map(|presigned| link("PUT", presigned)).map_err(|error| failure(&error))
        })
    }
}

impl JobLinks {
    fn store(&self, artifact: &Artifact) -> Result<&Store, Failure> {
        store_of(self.store.as_deref(), artifact)
    }
}

fn link(method: &'static str, presigned: Presigned) -> Link {
    Link { method, url: presigned.url, headers: presigned.headers }
}
