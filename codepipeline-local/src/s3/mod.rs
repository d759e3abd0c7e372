//! The S3 side: `s3s` speaks the protocol, `s3s-fs` keeps the bytes, and what they lack is here: conditional writes that are
//! atomic, temporary credentials that reach one job's objects only, and the encryption that artifact stores demand.

mod absent;
mod access;
mod attributes;
mod blob;
mod body;
mod catalog;
mod checksum;
mod chunks;
mod condition;
mod copying;
mod deletes;
mod details;
mod encryption;
mod form;
mod hoisted;
mod labels;
mod listing;
mod messages;
mod objects;
mod operation;
mod pace;
mod payload;
mod place;
mod reading;
mod received;
mod region;
mod settings;
mod signature;
mod storage;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;
mod version_2;
mod version_listing;
mod versioning;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::Range;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, S3Error, s3_error};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::request_log::RequestLog;
use crate::types::{ObjectRef, Permissions};
use access::Caller;
pub(crate) use body::read_to_its_end;
use catalog::{Catalog, Object, Record, VersionId};
pub(crate) use copying::CopyError;
use messages::{Explained, error};
pub(crate) use operation::{operation, operations};
pub use pace::S3Pace;
use payload::Verdict;
pub(crate) use place::is_region;
pub(crate) use place::place;
use place::{Hosts, Place};
use settings::{BucketSettings, Cors, Settings};
use signature::Signed;
pub(crate) use signature::query_values;
use storage::{Operations, Storage};
use uploads::Uploads;

/// Where objects are kept.
pub(crate) enum Folder {
    /// In a folder of the user's, which is made if it is not there.
    Given(PathBuf),
    /// In one that is removed when the last request is done with it.
    Temporary(TempDir),
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// How an S3 behaves.
pub(crate) struct StoreSettings {
    /// The twelve digits of the account that owns every bucket.
    pub(crate) account_id: String,
    /// The region of buckets that are made for no other.
    pub(crate) region: String,
    /// How slow it is for jobs.
    pub(crate) pace: S3Pace,
    /// Admits uploads without `aws:kms` into artifact stores.
    pub(crate) accept_unencrypted_uploads: bool,
}

/// An S3 in a folder.
#[derive(Clone)]
pub(crate) struct Store {
    storage: Arc<Storage>,
    service: S3Service,
    permissions: Arc<dyn Permissions>,
    clock: Clock,
    pace: S3Pace,
}

impl Store {
    /// Opens the store in a folder. Fails if that can't be used, or another emulator uses it.
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
        // Clients follow the `Date` of replies, and so sign with the emulator's time, which is any in a test; `s3s` would compare it
        // with the machine's.
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_auth(access::Auth(shared()));
        let access = access::Access { permissions: shared(), account_id, clock: clock.clone(), log };
        builder.set_route(Settings { storage: Arc::clone(&storage), access: access.clone() });
        builder.set_access(access);
        builder.set_host(Hosts);
        Ok(Self { storage, service: builder.build(), permissions, clock, pace })
    }

    /// Answers a request. Fails if the connection must be given up.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        if !form::is_form(&request) {
            if lacks_length(&request) {
                return refuse(s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header."));
            }
            return self.answer_request(request).await;
        }
        match form::to_upload(request, Clock::machine().now()).await {
            Ok((upload, form)) => form.answer(self.answer_request(upload).await?).or_else(refuse),
            Err(error) => refuse(error),
        }
    }

    /// Answers a request that is no form.
    async fn answer_request(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let place = Place::of(&parts.uri, &parts.headers);
        let explained = Explained::of(&place);
        let cors = Cors::of(&parts.method, &parts.headers);
        if parts.method == Method::OPTIONS {
            return self.preflight(cors.as_ref(), &place);
        }
        let mut body = body::read_to_its_end(&parts.headers, body);
        hoisted::add_to_headers(&mut parts);
        if let Err(error) = self.storage.check_present(&parts, &place) {
            return refuse(error);
        }
        let mut pace = S3Pace::default();
        let mut verdict = Verdict::default();
        if let Some(signed) = Signed::of(&parts) {
            if let Some(refused) = self.storage.refuse_scope(&signed, &parts, &place) {
                return Ok(refused);
            }
            match access::caller(&*self.permissions, signed.access_key_id()) {
                // Their signatures are verified as they are.
                Ok(Caller::Job(grant)) => {
                    pace = self.pace;
                    let seal = signed.seal(&grant.secret_access_key);
                    match payload::compared(&parts, pace.slow(&self.clock, body), Some(seal)) {
                        Ok(compared) => (body, verdict) = compared,
                        Err(error) => return refuse(error),
                    }
                }
                Ok(Caller::Ordinary) => {
                    match payload::compared(&parts, body, None) {
                        Ok(compared) => (body, verdict) = compared,
                        Err(error) => return refuse(error),
                    }
                    ignore_unreadable_range(&mut parts.headers);
                    body = body::without_chunk_signatures(&mut parts.headers, body);
                    signed.replace(&mut parts);
                }
                Err(error) => return refuse(error),
            }
        } else if let Some(access_key_id) = version_2::access_key_id(&parts) {
            let replaced = match access::caller(&*self.permissions, &access_key_id) {
                // S3 takes it for buckets made before June 24, 2020 only (S3 User Guide, "Authenticating requests").
                Ok(Caller::Job(_)) => Err(s3_error!(
                    InvalidRequest,
                    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
                )),
                Ok(Caller::Ordinary) => {
                    version_2::replace(&mut parts, &access_key_id, &self.storage.region, Clock::machine().now())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = replaced {
                return refuse(error);
            }
        }
        let mut reply = attributes::with_bare_e_tag(self.service.call(Request::from_parts(parts, body)).await?);
        if let Some(error) = verdict.take() {
            reply = refuse(error)?;
        }
        reply = explained.explain(reply);
        if let (Some(cors), Some(bucket)) = (cors, &place.bucket) {
            cors.allow(&self.storage.settings, bucket, reply.headers_mut());
        }
        if reply.status() == StatusCode::OK && reply.headers().contains_key(CONTENT_RANGE) {
            // `s3s` forgets the status of a HEAD.
            *reply.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        pace.wait(&self.clock).await;
        Ok(reply.map(|body| pace.slow(&self.clock, body)))
    }

    /// Answers what a browser asks before a request across origins.
    fn preflight(&self, cors: Option<&Cors>, place: &Place) -> Result<Response<Body>, HttpError> {
        let asked = cors.zip(place.bucket.as_deref());
        let answered = match asked {
            Some((cors, bucket)) => cors.preflight(&self.storage.settings, bucket),
            None => Err(error(
                "BadRequest",
                StatusCode::BAD_REQUEST,
                "Insufficient information. Origin request header needed.",
            )),
        };
        answered.or_else(refuse)
    }

    /// Makes the bucket, if it is not there. Fails if S3 allows no such name, or the data folder fails.
    pub(crate) fn create_bucket(&self, name: &str) -> io::Result<()> {
        if !s3s::path::check_bucket_name(name) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is no name for an S3 bucket")));
        }
        let storage = &self.storage;
        let _making = storage.lock_making();
        if storage.catalog.check_bucket(name).is_err() {
            storage.settings.begin(name, &storage.region)?;
        }
        storage.catalog.create_bucket(name)
    }

    /// Whether the object is there.
    pub(crate) fn has(&self, place: &ObjectRef) -> bool {
        self.storage.catalog.get(&place.bucket, &place.key).is_ok()
    }

    /// The id of the object's revision: its version id, or its ETag if it has no version id of its own. `None` if there is no such
    /// object.
    pub(crate) fn revision(&self, place: &ObjectRef) -> Option<String> {
        let object = self.storage.catalog.get(&place.bucket, &place.key).ok()?;
        Some(version_id(&object).unwrap_or_else(|| object.record.e_tag.clone()))
    }
}

/// The object's version id. Not `null`, because that does not tell one revision from the next.
fn version_id(object: &Object) -> Option<String> {
    match &object.commit.version {
        VersionId::Null => None,
        VersionId::Given(id) => Some(id.clone()),
    }
}

/// A range that can't be read is as if it were not there (RFC 9110, 14.2), where `s3s` refuses it. A job's request has its
/// headers signed, and keeps them.
fn ignore_unreadable_range(headers: &mut HeaderMap) {
    let range = headers.get(RANGE).map(|range| range.to_str().is_ok_and(|range| Range::parse(range).is_ok()));
    if range == Some(false) {
        headers.remove(RANGE);
    }
}

/// Whether a request uploads a body without saying how long it is.
fn lacks_length(request: &Request<Body>) -> bool {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let uploads = *method == Method::PUT && !headers.contains_key("x-amz-copy-source") && {
        let query = query_values(uri);
        let subresource = query.iter().any(|(name, value)| value.is_empty() && name != "versionId");
        Place::of(uri, headers).key.is_some() && !subresource
    };
    uploads && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING)
}

fn refuse(error: S3Error) -> Result<Response<Body>, HttpError> {
    error.to_http_response().map_err(|error| HttpError::new(Box::new(error)))
}
