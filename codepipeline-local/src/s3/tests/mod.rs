//! Tests of S3 with the SDK's client over a socket.

mod absent;
mod attributes;
mod checksums;
mod conditions;
mod credentials;
mod files;
mod forms;
mod kept_uploads;
mod objects;
mod pace;
mod reading;
mod uploads;
mod version_pages;
mod versions;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use http::Request;
use s3s::Body;
use std::time::Duration;

use super::catalog::{Catalog, Record};
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::listener::{Bound, FREE_PORT, Listener};
use crate::request_log::RequestLog;
use crate::types::{Grant, ObjectRef, Permissions, Timestamp};

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            pace: S3Pace::default(),
            accept_unencrypted_uploads: false,
        }
    }
}

/// Permissions from a table instead of the engine.
#[derive(Default)]
struct Table {
    grants: Mutex<HashMap<String, Grant>>,
}

impl Permissions for Table {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.grants.lock().unwrap().get(access_key_id).cloned()
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        bucket == "artifacts"
    }
}

struct Server {
    listener: Listener,
    store: Store,
    table: Arc<Table>,
    time: ManualClock,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        Self::with(StoreSettings::default()).await
    }

    async fn with(settings: StoreSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let table = Arc::new(Table::default());
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let store = {
            let permissions: Arc<dyn Permissions> = Arc::clone(&table) as _;
            let folder = Folder::Given(folder.path().into());
            Store::open(folder, time.clock(), permissions, RequestLog::default(), settings).unwrap()
        };
        let answering = store.clone();
        let answer = move |request: Request<hyper::body::Incoming>| {
            let store = answering.clone();
            async move { store.answer(request.map(Body::from)).await }
        };
        let listener = Bound::to(FREE_PORT).await.unwrap().serve(answer);
        store.create_bucket("bucket").unwrap();
        store.create_bucket("artifacts").unwrap();
        Self { listener, store, table, time, _folder: folder }
    }

    fn client(&self, credentials: Credentials) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{}", self.listener.address()))
            .force_path_style(true)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .credentials_provider(credentials);
        Client::from_conf(config.build())
    }

    fn anyone(&self) -> Client {
        self.client(Credentials::new("x", "any secret will do", None, None, "test"))
    }

    /// A client with a job's credentials, which are valid for a minute.
    fn job(&self, access_key_id: &str) -> Client {
        self.job_with_key(access_key_id, None)
    }

    /// The same for an artifact store that has this KMS key.
    fn job_with_key(&self, access_key_id: &str, encryption_key: Option<&str>) -> Client {
        let at = |key: &str| ObjectRef { bucket: "artifacts".into(), key: key.into() };
        let grant = Grant {
            secret_access_key: "the secret".into(),
            session_token: format!("token of {access_key_id}"),
            expires: self.time.clock().now().after(Duration::from_secs(60)),
            readable: vec![at("in")],
            writable: vec![at("out")],
            encryption_key: encryption_key.map(str::to_owned),
        };
        let token = Some(grant.session_token.clone());
        self.table.grants.lock().unwrap().insert(access_key_id.into(), grant);
        self.client(Credentials::new(access_key_id, "the secret", token, None, "test"))
    }
}

fn body(text: &str) -> ByteStream {
    ByteStream::from(text.as_bytes().to_vec())
}

/// The code of the error, or S3's name for the status of a response without a body.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, aws_sdk_s3::error::SdkError<E>>) -> String {
    let error = result.err().expect("the request was to be refused");
    let status = error.raw_response().map(|response| response.status().as_u16());
    error.as_service_error().and_then(|error| error.code()).map_or_else(|| format!("{status:?}"), str::to_owned)
}

/// Starts all at once, each in its own task.
async fn race<F>(number: usize, mut start: impl FnMut(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = (0..number).map(|index| tokio::spawn(start(index))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Sends a handwritten request over a new connection, and returns the whole response.
async fn send_raw(server: &Server, head: &str, body: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server.listener.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Send small pieces, which may split lines.
    for piece in body.chunks(body.len().div_ceil(40).max(1)) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}
