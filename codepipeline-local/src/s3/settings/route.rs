//! Routing of requests about settings, by the table.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::input::SettingInput;
use super::kinds::{Kind, Missing, of_query};
use super::policy;
use super::read::XMLNS;
use crate::s3::access::Access;
use crate::s3::catalog::internal;
use crate::s3::messages::error;
use crate::s3::place::Place;
use crate::s3::signature::query_values;
use crate::s3::storage::Storage;

/// The limit of a setting, in bytes. S3's limits on rules keep its settings smaller.
const LARGEST: usize = 4 * 1024 * 1024;
/// The header with the minimum size for lifecycle transitions (S3 API Reference, PutBucketLifecycleConfiguration).
const TRANSITION_SIZE: HeaderName = HeaderName::from_static("x-amz-transition-default-minimum-object-size");
const TRANSITION_DEFAULT: &str = "all_storage_classes_128K";

/// The route for `s3s`.
pub(in crate::s3) struct SettingsRoute {
    pub(in crate::s3) storage: Arc<Storage>,
    pub(in crate::s3) access: Access,
}

struct Target {
    kind: &'static Kind,
    bucket: String,
    id: Option<String>,
}

impl Target {
    fn of(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let Place { bucket: Some(bucket), key: None } = Place::of(uri, headers) else { return None };
        let mut query = query_values(uri);
        let kind = of_query(|name| query.contains_key(name))?;
        Some(Self { kind, bucket, id: query.remove("id").filter(|_| kind.list.is_some()) })
    }

    fn operation(&self, method: &Method) -> Option<&'static str> {
        self.kind.operation(method, self.id.is_some())
    }

    /// The name of the stored setting.
    fn name(&self) -> String {
        match &self.id {
            Some(id) => format!("{}/{id}", self.kind.query),
            None => self.kind.query.to_owned(),
        }
    }
}

/// The bucket that a request creates. `s3s` parses only an old form of its body.
fn creates(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match Place::of(uri, headers) {
        Place { bucket: Some(bucket), key: None } if *method == Method::PUT => {
            (!query_values(uri).contains_key("versioning")).then_some(bucket)
        }
        _ => None,
    }
}

#[async_trait::async_trait]
impl S3Route for SettingsRoute {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        let of_setting =
            [Method::GET, Method::PUT, Method::DELETE].contains(method) && Target::of(uri, headers).is_some();
        of_setting || creates(method, uri, headers).is_some()
    }

    async fn check_access(&self, req: &mut S3Request<Body>) -> S3Result<()> {
        let operation = match Target::of(&req.uri, &req.headers) {
            Some(target) => target.operation(&req.method),
            None => Some("CreateBucket"),
        };
        let operation = operation.ok_or_else(|| s3_error!(MethodNotAllowed))?;
        let access_key = req.credentials.as_ref().map(|credentials| credentials.access_key.as_str());
        self.access.authorize(operation, access_key, (&req.uri, &req.headers), None).map(drop)
    }

    async fn call(&self, mut req: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let Some(target) = Target::of(&req.uri, &req.headers) else {
            let bucket = creates(&req.method, &req.uri, &req.headers).ok_or_else(|| s3_error!(NotImplemented))?;
            let region = req.region.as_ref().map(s3s::region::Region::as_str);
            return self.storage.create(&bucket, region, &req.headers, &body_of(&mut req.input).await?);
        };
        self.storage.catalog.check_bucket(&target.bucket)?;
        match req.method {
            Method::GET => self.read(&target),
            Method::DELETE => {
                self.storage.settings.set(&target.bucket, &target.name(), None).map_err(internal)?;
                Ok(S3Response::with_status(Body::empty(), StatusCode::NO_CONTENT))
            }
            _ => {
                let body = body_of(&mut req.input).await?;
                self.keep(&target, &req.headers, &body)
            }
        }
    }
}

impl SettingsRoute {
    fn keep(&self, target: &Target, headers: &HeaderMap, body: &[u8]) -> S3Result<S3Response<Body>> {
        let settings = &self.storage.settings;
        let acls_off = settings.acls_off(&target.bucket);
        let kept = (target.kind.read)(&SettingInput { headers, body, acls_off })?;
        if target.kind.list.is_some() && !target.id.as_ref().is_some_and(|id| kept.contains(&format!("<Id>{id}</Id>")))
        {
            return Err(s3_error!(
                InvalidArgument,
                "The id of the query and that of the configuration must be the same"
            ));
        }
        settings.set(&target.bucket, &target.name(), Some(kept)).map_err(internal)?;
        let mut reply = S3Response::with_status(Body::empty(), target.kind.put_status);
        if target.kind.query == "lifecycle" {
            let size = headers.get(&TRANSITION_SIZE).and_then(|size| size.to_str().ok()).unwrap_or(TRANSITION_DEFAULT);
            settings.set(&target.bucket, TRANSITION_SIZE.as_str(), Some(size.to_owned())).map_err(internal)?;
            add(&mut reply.headers, TRANSITION_SIZE, size);
        }
        Ok(reply)
    }

    fn read(&self, target: &Target) -> S3Result<S3Response<Body>> {
        let settings = &self.storage.settings;
        let Kind { query, root, missing, list, .. } = target.kind;
        let kept = match (list, &target.id) {
            (Some(list), None) => {
                let all = settings.all(&target.bucket, &format!("{query}/")).concat();
                Some(format!("<{list} xmlns=\"{XMLNS}\"><IsTruncated>false</IsTruncated>{all}</{list}>"))
            }
            _ if *query == "policyStatus" => settings.get(&target.bucket, "policy").map(|kept| policy::status(&kept)),
            _ => settings.get(&target.bucket, &target.name()),
        };
        let text = match (kept, missing) {
            (Some(kept), _) => kept,
            (None, Missing::Default(content)) => format!("<{root} xmlns=\"{XMLNS}\">{content}</{root}>"),
            (None, Missing::Error(code, message)) => return Err(error(code, StatusCode::NOT_FOUND, *message)),
        };
        let mut reply = S3Response::new(Body::empty());
        let json = *query == "policy";
        add(&mut reply.headers, CONTENT_TYPE, if json { "application/json" } else { "application/xml" });
        add(&mut reply.headers, CONTENT_LENGTH, &text.len().to_string());
        if *query == "lifecycle" {
            let size = settings.get(&target.bucket, TRANSITION_SIZE.as_str());
            add(&mut reply.headers, TRANSITION_SIZE, size.as_deref().unwrap_or(TRANSITION_DEFAULT));
        }
        reply.output = Body::from(text);
        Ok(reply)
    }
}

async fn body_of(body: &mut Body) -> S3Result<Bytes> {
    let body = body.store_all_limited(LARGEST).await;
    body.map_err(|error| S3Error::with_source(S3ErrorCode::MaxMessageLengthExceeded, error))
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
