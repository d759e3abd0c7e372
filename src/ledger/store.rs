//! The ledger's requests to S3, each tried once. In `ledger/`, only this file and its submodules name `aws_sdk_s3`.

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
use crate::calls::{ErrorResponse, LogCalls, NoResponse};
use date::ResponseDate;
use response::{Operation, Refusal};

mod date;
mod object;
mod response;

pub use object::{Found, Listed, Version, WriteResult};

/// Connecting within the region takes milliseconds.
const CONNECT: Duration = Duration::from_secs(2);
/// A request for one entry, with its whole response. At most 30 s pass from sending a poll to holding its job.
const OPERATION: Duration = Duration::from_secs(3);
/// A page of the listing, or a sweep of a thousand objects. No job waits for these.
const MANY: Duration = Duration::from_secs(10);

/// A conditional delete also reads (S3 User Guide, "How to perform conditional deletes").
const DELETING: &str = "s3:DeleteObject and s3:GetObject";

/// The most objects in one request and in one page (S3 API reference, `DeleteObjects`, `ListObjectsV2`).
const BATCH: usize = 1000;

/// The ledger's bucket. Clones share their connections.
#[derive(Clone)]
pub struct Ledger {
    client: Client,
    bucket: Arc<str>,
}

impl Ledger {
    /// The ledger in this bucket, with the function's own credentials. Sends no request yet. If an endpoint is
    /// configured, for all services or for S3, URLs have the bucket in their path.
    pub fn new(sdk_config: &SdkConfig, bucket: String) -> Self {
        let path_style = sdk_config.endpoint_url().is_some() || has_endpoint_for_s3(sdk_config);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
        // The SDK's retries would hide that an earlier try may have taken effect.
        let config = Builder::from(sdk_config)
            .interceptor(LogCalls)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .force_path_style(path_style);
        Self { client: Client::from_conf(config.build()), bucket: bucket.into() }
    }

    /// The object of a job; `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if S3 does not answer within 3 s or refuses. Without `s3:ListBucket`, S3 denies access to a
    /// missing object.
    pub async fn read(&self, key: &Key) -> Result<Option<Found>, LedgerError> {
        let operation =
            self.operation("read an entry", "s3:GetObject, and s3:ListBucket for entries that are not there");
        let reading = async {
            let date = ResponseDate::default();
            let request = self.client.get_object().bucket(&*self.bucket).key(key.as_str());
            let response = match request.customize().interceptor(date.clone()).send().await {
                Ok(response) => response,
                Err(error) => {
                    return match operation.refusal(&error) {
                        Refusal::Condition(_) => Ok(None),
                        Refusal::Error(error) => Err(error),
                    };
                }
            };
            let age = date.age_of(response.last_modified()).ok_or_else(|| operation.incomplete())?;
            let version = version(response.e_tag()).ok_or_else(|| operation.incomplete())?;
            let size = size(response.content_length());
            if size > LARGEST as u64 {
                let content = Content::Unreadable(Unreadable::TooLarge(size));
                return Ok(Some(Found { content, version, age }));
            }
            let body = response.body.collect().await.map_err(|_| operation.unavailable("the response broke off"))?;
            Ok(Some(Found { content: Content::of(&body.into_bytes()), version, age }))
        };
        // The SDK's own timeout does not include the body.
        timeout(OPERATION, reading).await.unwrap_or_else(|_| Err(operation.unavailable(NoResponse::Late.reason())))
    }

    /// Writes an entry over that `version`, or a new one for `None`. Another try of the same write needs the same
    /// `write` id.
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

    /// Marks a job as finished: writes an empty object over that version.
    pub async fn mark_done(&self, key: &Key, over: &Version) -> WriteResult {
        self.written("mark a job as done", self.put(key, Vec::new()).if_match(&over.0)).await
    }

    /// Deletes the object of that version.
    pub async fn delete(&self, key: &Key, over: &Version) -> WriteResult {
        let request = self.client.delete_object().bucket(&*self.bucket).key(key.as_str()).if_match(&over.0);
        match request.send().await {
            Ok(_) => WriteResult::Written(over.clone()),
            Err(error) => self.operation("delete an entry", DELETING).refusal(&error).into(),
        }
    }

    /// All objects, in the order of their keys, without those that can't be entries.
    ///
    /// # Errors
    /// Returns an error if S3 does not answer within 10 s for a page, or refuses.
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

    /// Deletes marks of finished jobs, up to 1000 in one request, and returns how many it deleted. Marks that have
    /// changed since they were listed stay, as does any other object.
    ///
    /// # Errors
    /// Returns an error if S3 does not answer within 10 s for 1000 of them, or refuses. Some may have been deleted.
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
            let response = request.customize().config_override(many()).send().await;
            let response = response.map_err(|error| operation.refusal(&error).into_error(&operation))?;
            // A quiet response names only the objects that stayed.
            swept += batch.len().saturating_sub(response.errors().len());
            for stayed in response.errors() {
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
        // A conditional write also reads (S3 User Guide, "How to prevent object overwrites with conditional writes").
        let operation = self.operation(doing, "s3:PutObject and s3:GetObject");
        match request.send().await {
            Ok(response) => version(response.e_tag())
                .map_or_else(|| WriteResult::Failed(operation.incomplete()), WriteResult::Written),
            Err(error) => operation.refusal(&error).into(),
        }
    }

    fn operation(&self, doing: &'static str, permission: &'static str) -> Operation<'_> {
        Operation { doing, permission, bucket: &self.bucket }
    }
}

impl From<Refusal> for WriteResult {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Condition(_) => Self::Refused,
            Refusal::Error(error) => Self::Failed(error),
        }
    }
}

/// S3 returns sizes as signed numbers.
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

/// Whether `AWS_ENDPOINT_URL_S3` or the profile's `services` section has an endpoint. The S3 client finds it by the
/// same key ("Service-specific endpoints", AWS SDKs and Tools reference).
fn has_endpoint_for_s3(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let endpoint = config.service_config().zip(key.ok()).and_then(|(services, key)| services.load_config(key));
    endpoint.is_some()
}
