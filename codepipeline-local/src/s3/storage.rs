//! State of the operations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Extensions, HeaderMap, Method, Uri};
use s3s::S3Request;

use super::access::JobCaller;
use super::catalog::Catalog;
use super::folder::Folder;
use super::settings::BucketSettings;
use super::uploads::Uploads;
use crate::clock::Clock;
use crate::types::Permissions;

/// The state of the operations.
pub(super) struct Storage {
    pub(super) catalog: Catalog,
    pub(super) uploads: Uploads,
    pub(super) settings: BucketSettings,
    /// Held while a bucket is created or removed, with its settings and uploads.
    pub(super) making: Mutex<()>,
    /// The emulator's region.
    pub(super) region: String,
    pub(super) clock: Clock,
    pub(super) permissions: Arc<dyn Permissions>,
    /// Accepts uploads without `aws:kms` into artifact stores.
    pub(super) accept_unencrypted_uploads: bool,
    /// The last field, so that it is dropped last: a request that still writes would leave the folder behind.
    pub(super) _folder: Folder,
}

impl Storage {
    /// Waits until no other request creates or removes a bucket.
    pub(super) fn lock_making(&self) -> MutexGuard<'_, ()> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The job that signed the request.
pub(super) fn job_caller(extensions: &Extensions) -> Option<JobCaller> {
    extensions.get().cloned()
}

/// A request of the emulator to a blob's store.
pub(super) fn own_request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Method::GET,
        uri: Uri::from_static("/"),
        headers: HeaderMap::new(),
        extensions: Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}
