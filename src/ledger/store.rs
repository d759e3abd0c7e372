//! The ledger's requests to S3, each tried once. Only this and what is below it name `aws_sdk_s3` here.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_types::service_config::ServiceConfigKey;
use tokio::time::timeout;

use super::entry::{Content, Entry, LARGEST, Unreadable, WriteId};
use super::error::LedgerError;
use super::key::{FOLDER, Key};
use crate::calls::ErrorResponse;
use date::ResponseDate;
use response::{Operation, Refusal};

mod date;
mod response;

/// A connection within the region is made in milliseconds.
const CONNECT: Duration = Duration::from_secs(2);
/// A request for one entry, answered whole. From sending a poll to holding its job there are 30 s at most.
const OPERATION: Duration = Duration::from_secs(3);
/// A page of the listing, or a sweep of a thousand objects. Nobody waits for these.
const MANY: Duration = Duration::from_secs(10);

/// A delete with a condition also reads (S3 User Guide, "How to perform conditional deletes").
const DELETING: &str = "s3:DeleteObject and s3:GetObject";

/// S3 takes so many in one request, and lists so many in one page (S3 API reference, `DeleteObjects`, `ListObjectsV2`).
const BATCH: usize = 1000;

/// The mark of a polled job that is done is kept this long: whoever still has an old offer of the job must find it.
const DONE_POLLED: Duration = Duration::from_secs(60 * 60);
/// Lambda delivers an asynchronous event for up to 6 hours (Lambda developer guide, "Asynchronous invocation").
const DONE_INVOKED: Duration = Duration::from_secs(7 * 60 * 60);

/// One state of an object: S3's ETag for it. The default is none's, for whoever keeps no ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(String);

/// The ledger's bucket. Its clones share their connections.
#[derive(Clone)]
pub struct Ledger {
    client: Client,
    bucket: Arc<str>,
}

/// What became of a write or a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// It took effect; the object has this version now. After a delete the version is the one that went.
    Written(Version),
    /// The condition does not hold: the object is another one, is not there, or is there. An earlier try of the same write may
    /// be the reason.
    Refused,
    /// It failed. It may have taken effect all the same if the error [may pass](LedgerError::may_pass).
    Failed(LedgerError),
}

/// An object of the ledger.
pub struct Found {
    /// What it says.
    pub content: Content,
    /// Its version.
    pub version: Version,
    /// For how long it has been as it is, at the least: by S3's clock, which tells whole seconds, rounded down.
    pub age: Duration,
}

impl Found {
    /// Whether its owner must be dead. Of a job that is done and of what can't be read nobody is the owner.
    pub fn lease_is_over(&self) -> bool {
        matches!(&self.content, Content::Entry(entry, _) if self.age >= entry.lease)
    }
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whose it is.
    pub key: Key,
    /// Its version.
    pub version: Version,
    /// Its size in bytes; 0 says that the job is done.
    pub size: u64,
    /// As [`Found::age`].
    pub age: Duration,
}

impl Listed {
    /// Whether it is the mark of a job that is done.
    pub fn is_done(&self) -> bool {
        self.size == 0
    }

    /// Whether it is a mark that nobody needs any more: after an hour, a Lambda Invoke job's after 7 hours.
    pub fn can_go(&self) -> bool {
        let kept = if self.key.is_invoked() { DONE_INVOKED } else { DONE_POLLED };
        self.is_done() && self.age >= kept
    }
}

impl Ledger {
    /// The ledger in this bucket, with the function's own credentials. Nothing is asked yet. Wherever an endpoint is
    /// configured, for all services or for S3 alone, the bucket is named in the path.
    pub fn new(shared: &SdkConfig, bucket: String) -> Self {
        let path_style = shared.endpoint_url().is_some() || has_endpoint_for_s3(shared);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
        // The SDK's retries would hide that an earlier try may have taken effect.
        let config = Builder::from(shared)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .force_path_style(path_style);
        Self { client: Client::from_conf(config.build()), bucket: bucket.into() }
    }

    /// The object of a job; `None` if there is none.
    ///
    /// # Errors
    /// When S3 does not answer within 3 s, or refuses. Without `s3:ListBucket` it calls a missing object denied.
    pub async fn read(&self, key: &Key) -> Result<Option<Found>, LedgerError> {
        let operation =
            self.operation("read an entry", "s3:GetObject, and s3:ListBucket for entries that are not there");
        let reading = async {
            let date = ResponseDate::default();
            let request = self.client.get_object().bucket(&*self.bucket).key(key.as_str());
            let answer = match request.customize().interceptor(date.clone()).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    return match operation.refusal(&error) {
                        Refusal::Condition(_) => Ok(None),
                        Refusal::Error(error) => Err(error),
                    };
                }
            };
            let age = date.age_of(answer.last_modified()).ok_or_else(|| operation.incomplete())?;
            let version = version(answer.e_tag()).ok_or_else(|| operation.incomplete())?;
            let size = size(answer.content_length());
            if size > LARGEST as u64 {
                let content = Content::Unreadable(Unreadable::TooLarge(size));
                return Ok(Some(Found { content, version, age }));
            }
            let body = answer.body.collect().await.map_err(|_| operation.unavailable("the answer broke off"))?;
            Ok(Some(Found { content: Content::of(&body.into_bytes()), version, age }))
        };
        // The SDK's own timeout ends where the body begins.
        timeout(OPERATION, reading).await.unwrap_or_else(|_| Err(operation.unavailable("no answer in time")))
    }

    /// Writes an entry: over that `version`, or with `None` where there is no object. To try the same write again, give the
    /// same `write`.
    pub async fn write(&self, key: &Key, over: Option<&Version>, entry: &Entry, write: &WriteId) -> WriteResult {
        let body = entry.to_bytes(write);
        if body.len() > LARGEST {
            return WriteResult::Failed(LedgerError::TooLarge { size: body.len(), limit: LARGEST });
        }
        let request = self.put(key, body).content_type("application/json");
        match over {
            Some(Version(e_tag)) => self.written("write an entry", request.if_match(e_tag)).await,
            None => self.written("write an entry", request.if_none_match("*")).await,
        }
    }

    /// Marks a job as done: an empty object over that `version`.
    pub async fn mark_done(&self, key: &Key, over: &Version) -> WriteResult {
        self.written("mark a job as done", self.put(key, Vec::new()).if_match(&over.0)).await
    }

    /// Deletes an object of that `version`.
    pub async fn delete(&self, key: &Key, over: &Version) -> WriteResult {
        let request = self.client.delete_object().bucket(&*self.bucket).key(key.as_str()).if_match(&over.0);
        match request.send().await {
            Ok(_) => WriteResult::Written(over.clone()),
            Err(error) => self.operation("delete an entry", DELETING).refusal(&error).into(),
        }
    }

    /// All objects, in the order of their keys. What can be no entry, by its key, is left out.
    ///
    /// # Errors
    /// When S3 does not answer for a page within 10 s, or refuses.
    pub async fn list(&self) -> Result<Vec<Listed>, LedgerError> {
        let operation = self.operation("list the entries", "s3:ListBucket");
        let mut listed = Vec::new();
        let mut next = None;
        loop {
            let date = ResponseDate::default();
            let request = self.client.list_objects_v2().bucket(&*self.bucket).prefix(FOLDER);
            let request = request.set_continuation_token(next).customize().interceptor(date.clone());
            let page = request.config_override(many()).send().await;
            let page = page.map_err(|error| operation.refusal(&error).into_error(&operation))?;
            for object in page.contents() {
                let Some(key) = object.key().and_then(|key| Key::listed(key.to_owned())) else { continue };
                let age = date.age_of(object.last_modified()).ok_or_else(|| operation.incomplete())?;
                let version = version(object.e_tag()).ok_or_else(|| operation.incomplete())?;
                listed.push(Listed { key, version, size: size(object.size()), age });
            }
            next = page.next_continuation_token().filter(|_| page.is_truncated() == Some(true)).map(str::to_owned);
            if next.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Deletes marks of jobs that are done, up to 1000 with one request, and tells how many went. One that has changed since
    /// it was listed stays, and so does whatever is no mark.
    ///
    /// # Errors
    /// When S3 does not answer within 10 s for 1000 of them, or refuses. Some may have gone.
    pub async fn sweep(&self, done: &[Listed]) -> Result<usize, LedgerError> {
        let operation = self.operation("sweep entries of finished jobs", DELETING);
        let mut swept = 0;
        let marks: Vec<_> = done.iter().filter(|listed| listed.is_done()).collect();
        for batch in marks.chunks(BATCH) {
            let identify = |listed: &&Listed| {
                let identifier = ObjectIdentifier::builder().key(listed.key.as_str()).e_tag(&listed.version.0);
                identifier.build().expect("the key is set")
            };
            let delete = Delete::builder().set_objects(Some(batch.iter().map(identify).collect())).quiet(true);
            let request = self.client.delete_objects().bucket(&*self.bucket);
            let request = request.delete(delete.build().expect("the objects are set"));
            let answer = request.customize().config_override(many()).send().await;
            let answer = answer.map_err(|error| operation.refusal(&error).into_error(&operation))?;
            // A quiet answer names only those that stayed.
            swept += batch.len().saturating_sub(answer.errors().len());
            for stayed in answer.errors() {
                if let Refusal::Error(error) = operation.sorted(&ErrorResponse { code: stayed.code(), status: None }) {
                    return Err(error);
                }
            }
        }
        Ok(swept)
    }

    fn put(&self, key: &Key, body: Vec<u8>) -> PutObjectFluentBuilder {
        self.client.put_object().bucket(&*self.bucket).key(key.as_str()).body(ByteStream::from(body))
    }

    async fn written(&self, doing: &'static str, request: PutObjectFluentBuilder) -> WriteResult {
        // With If-Match S3 also reads (S3 User Guide, "How to prevent object overwrites with conditional writes").
        let operation = self.operation(doing, "s3:PutObject and s3:GetObject");
        match request.send().await {
            Ok(answer) => version(answer.e_tag())
                .map_or_else(|| WriteResult::Failed(operation.incomplete()), WriteResult::Written),
            Err(error) => operation.refusal(&error).into(),
        }
    }

    fn operation(&self, doing: &'static str, permission: &'static str) -> Operation<'_> {
        Operation { doing, permission, bucket: &self.bucket }
    }
}

impl From<Refusal> for WriteResult {
    fn from(response: Refusal) -> Self {
        match response {
            Refusal::Condition(_) => Self::Refused,
            Refusal::Error(error) => Self::Failed(error),
        }
    }
}

/// S3 gives sizes as signed numbers.
fn size(given: Option<i64>) -> u64 {
    u64::try_from(given.unwrap_or_default()).unwrap_or_default()
}

fn version(e_tag: Option<&str>) -> Option<Version> {
    e_tag.map(|e_tag| Version(e_tag.to_owned()))
}

/// For requests about many objects.
fn many() -> Builder {
    Builder::new().timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(MANY).build())
}

/// Whether `AWS_ENDPOINT_URL_S3` or the profile's `services` section names an endpoint, which the S3 client finds by the
/// same key ("Service-specific endpoints", AWS SDKs and Tools reference).
fn has_endpoint_for_s3(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let endpoint = config.service_config().zip(key.ok()).and_then(|(services, key)| services.load_config(key));
    endpoint.is_some()
}
