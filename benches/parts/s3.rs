//! S3 as a map in this process, behind the SDK's own client. It has the requests that staging sends.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use codepipeline_worker::artifacts::{Renew, Store, Stores};
use codepipeline_worker::job::{Artifact, Credentials};
use tokio::runtime::Runtime;
use tokio::time::Instant;

#[derive(Clone, Debug, Default)]
struct S3(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By their paths.
    objects: HashMap<String, Bytes>,
    /// Of the one upload under way, by their numbers.
    parts: HashMap<usize, Bytes>,
}

/// An artifact whose object has this key.
pub(crate) fn artifact(key: &str) -> Artifact {
    Artifact { name: "App".to_owned(), revision: None, bucket: "artifacts".to_owned(), key: key.to_owned() }
}

/// A store over an S3 with these objects.
pub(crate) fn store<const N: usize>(runtime: &Runtime, objects: [(&str, Bytes); N]) -> Store {
    struct NoRenewal;
    impl Renew for NoRenewal {
        fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
            Box::pin(async { Err("a benchmark renews nothing".to_owned()) })
        }
    }
    let s3 = S3::default();
    s3.lock().objects = objects.map(|(key, content)| (format!("/artifacts/{key}"), content)).into();
    let (access_key_id, secret_access_key, session_token) = ("test".to_owned(), "test".into(), "test".into());
    let credentials = Credentials { access_key_id, secret_access_key, session_token };
    let stores = Stores::new(&runtime.block_on(config(s3)));
    // The clients need a runtime's clock.
    let _inside = runtime.enter();
    stores.for_job(&credentials, Instant::now(), Arc::new(NoRenewal))
}

async fn config(s3: S3) -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::new("us-east-1"));
    config.no_credentials().endpoint_url("http://s3.invalid").http_client(s3).load().await
}

impl HttpClient for S3 {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for S3 {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.answer(&request)))
    }
}

impl S3 {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let uri: http::Uri = request.uri().parse().expect("the SDK sends a URI");
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default());
        let body = Bytes::copy_from_slice(request.body().bytes().unwrap_or_default());
        let State { objects, parts } = &mut *self.lock();
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        match (request.method(), parameter("partNumber")) {
            ("GET", _) => return range(&objects[&path], request.headers().get("range")),
            ("PUT", None) => _ = objects.insert(path, body),
            ("PUT", Some(number)) => _ = parts.insert(number.parse().expect("the part has a number"), body),
            ("POST", _) if parameter("uploadId").is_none() => {
                parts.clear();
                return response(
                    200,
                    "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>",
                );
            }
            ("POST", _) => {
                let whole: Vec<u8> = (1..=parts.len()).flat_map(|number| parts[&number].to_vec()).collect();
                objects.insert(path, whole.into());
                return response(
                    200,
                    "<CompleteMultipartUploadResult><ETag>\"etag\"</ETag></CompleteMultipartUploadResult>",
                );
            }
            (method, _) => panic!("staging does not send {method}"),
        }
        response(200, "")
    }
}

/// The bytes of `bytes=FIRST-LAST`.
fn range(object: &Bytes, header: Option<&str>) -> HttpResponse {
    let bounds = header.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (first, last) = bounds.expect("staging reads ranges");
    let number = |text: &str| text.parse::<usize>().expect("a bound is a number");
    let (first, end) = (number(first), object.len().min(number(last) + 1));
    let mut response = response(206, object.slice(first..end));
    response.headers_mut().insert("content-range", format!("bytes {first}-{}/{}", end - 1, object.len()));
    response
}

fn response(status: u16, body: impl Into<SdkBody>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("the status is valid"), body.into());
    response.headers_mut().insert("etag", "\"etag\"");
    response
}
