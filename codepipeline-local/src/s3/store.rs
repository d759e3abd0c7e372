//! An S3 in a folder.

use std::io;
use std::sync::{Arc, Mutex};

use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};

use super::access;
use super::catalog::{Catalog, Object, Record, VersionId};
use super::folder::Folder;
use super::operations::Operations;
use super::pace::S3Pace;
use super::place::Hosts;
use super::settings::{BucketSettings, SettingsRoute};
use super::storage::Storage;
use super::uploads::Uploads;
use crate::clock::Clock;
use crate::request_log::RequestLog;
use crate::types::{BUCKET_RULE, ObjectRef, Permissions};

/// The settings of an S3.
pub(crate) struct StoreSettings {
    /// The twelve digits of the account that owns all buckets.
    pub(crate) account_id: String,
    /// The default region of buckets.
    pub(crate) region: String,
    /// The pace for jobs.
    pub(crate) pace: S3Pace,
    /// Accepts uploads without `aws:kms` into artifact stores.
    pub(crate) accept_unencrypted_uploads: bool,
}

/// An S3 in a folder.
#[derive(Clone)]
pub(crate) struct Store {
    pub(super) storage: Arc<Storage>,
    pub(super) service: S3Service,
    pub(super) permissions: Arc<dyn Permissions>,
    pub(super) clock: Clock,
    pub(super) pace: S3Pace,
}

impl Store {
    /// Opens a store. Returns an error if the folder can't be used, or another emulator uses it.
    pub(crate) fn open(
        folder: Folder,
        clock: Clock,
        permissions: Arc<dyn Permissions>,
        log: RequestLog,
        settings: StoreSettings,
    ) -> io::Result<Self> {
        let StoreSettings { account_id, region, pace, accept_unencrypted_uploads } = settings;
        let catalog = Catalog::open(folder.path())?;
        let uploads = Uploads::open(folder.path(), |bucket, key, id| {
            let made = |record: &Record| record.key == key && record.details.upload_id.as_deref() == Some(id);
            // A run that was killed while it removed the bucket may have left the upload.
            catalog.list_versions(bucket, key).map_or(true, |found| found.iter().any(|object| made(&object.record)))
        })?;
        let shared = || Arc::clone(&permissions);
        let storage = Arc::new(Storage {
            catalog,
            uploads,
            settings: BucketSettings::open(folder.path())?,
            making: Mutex::default(),
            region,
            clock: clock.clone(),
            permissions: shared(),
            accept_unencrypted_uploads,
            _folder: folder,
        });
        let mut builder = S3ServiceBuilder::new(Operations(Arc::clone(&storage)));
        // Clients follow the `Date` of responses, so they sign with the emulator's time. `s3s` would compare it with
        // the machine's.
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_auth(access::Auth(shared()));
        let access = access::Access { permissions: shared(), account_id, clock: clock.clone(), log };
        builder.set_route(SettingsRoute { storage: Arc::clone(&storage), access: access.clone() });
        builder.set_access(access);
        builder.set_host(Hosts);
        Ok(Self { storage, service: builder.build(), permissions, clock, pace })
    }

    /// Creates the bucket if it does not exist. Returns an error for an invalid name, or if the data folder can't be
    /// used.
    pub(crate) fn create_bucket(&self, name: &str) -> io::Result<()> {
        if !s3s::path::check_bucket_name(name) {
            let why = format!("the name is invalid: {BUCKET_RULE}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let storage = &self.storage;
        let _making = storage.lock_making();
        if storage.catalog.check_bucket(name).is_err() {
            storage.settings.begin(name, &storage.region)?;
        }
        storage.catalog.create_bucket(name)
    }

    /// Whether the object exists.
    pub(crate) fn has(&self, place: &ObjectRef) -> bool {
        self.storage.catalog.get(&place.bucket, &place.key).is_ok()
    }

    /// The size of the object in bytes. `None` if the object does not exist.
    pub(crate) fn size(&self, place: &ObjectRef) -> Option<u64> {
        self.storage.catalog.get(&place.bucket, &place.key).ok().map(|object| object.record.size)
    }

    /// The id of the object's revision: its version id, or else its ETag. `None` if the object does not exist.
    pub(crate) fn revision(&self, place: &ObjectRef) -> Option<String> {
        let object = self.storage.catalog.get(&place.bucket, &place.key).ok()?;
        Some(version_id(&object).unwrap_or_else(|| object.record.e_tag.clone()))
    }
}

/// The object's version id. `null` is left out, because it does not identify a revision.
pub(super) fn version_id(object: &Object) -> Option<String> {
    match &object.commit.version {
        VersionId::Null => None,
        VersionId::Given(id) => Some(id.clone()),
    }
}
