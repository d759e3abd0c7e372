//! Uploads by HTML forms, for example presigned POSTs (S3 API Reference, "POST Object"). A form is translated into a
//! `PutObject` request, and its response into the response that the form asks for.
//!
//! The signature in a form is not verified, because ordinary users may have any secret. Its policy is checked.

mod fields;
mod limited_file;
mod policy;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use s3s::dto::{StreamingBlob, Tag, Tagging};
use s3s::xml::Deserializer;
use s3s::{Body, S3Error, S3Result, s3_error};

use super::body::read_to_its_end;
use super::place::Place;
use super::signature::{encoded, uri_encode};
use crate::types::Timestamp;
use fields::{Fields, missing};
use limited_file::{LimitedFile, Refusal, RefusalSlot};

/// Form fields that become headers of `PutObject` with the same name.
const HEADERS: [&str; 9] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];
/// Prefixes of further such fields.
const PREFIXES: [&str; 3] = ["x-amz-meta-", "x-amz-server-side-encryption", "x-amz-checksum-"];

/// Whether a request is a form upload.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = |value: &str| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    method == Method::POST && content_type.is_some_and(form)
}

/// The requested response of a form.
pub(super) struct Form {
    location: String,
    bucket: String,
    key: String,
    status: StatusCode,
    redirect: Option<String>,
    refusal: RefusalSlot,
}

/// Translates a form into an upload. Fails if `check` refuses its access key id. `now` is the machine's time, for the expiry of policies.
pub(super) async fn to_upload(
    request: Request<Body>,
    check: impl FnOnce(&str) -> S3Result<()>,
    now: Timestamp,
) -> S3Result<(Request<Body>, Form)> {
    let (mut parts, body) = request.into_parts();
    let body = read_to_its_end(&parts.headers, body);
    let (bucket, key) = match Place::of(&parts.uri, &parts.headers) {
        Place { bucket: Some(bucket), key } => (bucket, key),
        Place { bucket: None, key } => (String::new(), key),
    };
    if key.is_some() || bucket.is_empty() {
        return Err(s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource."));
    }
    let fields = Fields::read(&parts.headers, body).await?;
    let key = fields.required("key")?.to_owned();
    let access_key_id = access_key_id(&fields)?.to_owned();
    check(&access_key_id)?;
    let sizes = policy::check(&fields, &bucket, now)?;
    if key.is_empty() {
        return Err(s3_error!(InvalidArgument, "User key must have a length greater than 0."));
    }

    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = format!("{}/{}", parts.uri.path().trim_end_matches('/'), uri_encode(&key, false));
    let redirect = fields.get("success_action_redirect").or(fields.get("redirect"));
    let refusal = RefusalSlot::default();
    let form = Form {
        location: format!("http://{host}{path}"),
        bucket,
        key,
        status: match fields.get("success_action_status") {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        },
        redirect: redirect.filter(|url| is_absolute(url)).map(str::to_owned),
        refusal: refusal.clone(),
    };
    make_put(&mut parts, &path, &access_key_id, &fields)?;
    let body = Body::from(StreamingBlob::wrap(LimitedFile::new(fields.file, sizes, refusal)));
    Ok((Request::from_parts(parts, body), form))
}

/// The access key in a form, signed with version 4 or 2.
fn access_key_id(fields: &Fields) -> S3Result<&str> {
    if let Some(credential) = fields.get("x-amz-credential") {
        fields.required("x-amz-signature")?;
        return Ok(credential.split('/').next().unwrap_or_default());
    }
    let access_key_id = fields.get("awsaccesskeyid").ok_or_else(|| missing("AWSAccessKeyId"))?;
    fields.required("signature")?;
    Ok(access_key_id)
}

/// Turns the request into `PutObject`, with a signature of version 2 that is later replaced like that of an ordinary
/// user.
fn make_put(parts: &mut Parts, path: &str, access_key_id: &str, fields: &Fields) -> S3Result<()> {
    parts.method = Method::PUT;
    parts.uri = Uri::try_from(path).map_err(|_| s3_error!(InvalidURI))?;
    // The content length of the form stays: `s3s` requires one and does not check it.
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_ENCODING);
    put(&mut parts.headers, &header::AUTHORIZATION, &format!("AWS {access_key_id}:form"))?;
    if let Some(tags) = fields.get("tagging") {
        put(&mut parts.headers, &HeaderName::from_static("x-amz-tagging"), &tags_of_xml(tags)?)?;
    }
    for (name, value) in fields.iter() {
        let header = match name {
            "acl" => Some("x-amz-acl"),
            _ if HEADERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => Some(name),
            _ => None,
        };
        if let Some(header) = header {
            let header = HeaderName::try_from(header)
                .map_err(|_| s3_error!(InvalidArgument, "The form's field {} is not a valid header name", header))?;
            put(&mut parts.headers, &header, value)?;
        }
    }
    Ok(())
}

/// The tags of the form, as a header of `PutObject`.
fn tags_of_xml(text: &str) -> S3Result<String> {
    let mut xml = Deserializer::new(text.as_bytes());
    let tagging: Tagging = xml
        .named_element("Tagging", Deserializer::content)
        .map_err(|_| s3_error!(MalformedXML, "The form's field tagging is not valid tagging XML"))?;
    let pair = |tag: &Tag| {
        let part = |text: &Option<String>| encoded(text.as_deref().unwrap_or_default());
        format!("{}={}", part(&tag.key), part(&tag.value))
    };
    Ok(tagging.tag_set.iter().map(pair).collect::<Vec<_>>().join("&"))
}

fn put(headers: &mut HeaderMap, name: &HeaderName, value: &str) -> S3Result<()> {
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        s3_error!(InvalidArgument, "The value of the form's field {} is not a valid header value", name)
    })?;
    headers.insert(name, value);
    Ok(())
}

fn is_absolute(url: &str) -> bool {
    Uri::try_from(url).is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")))
}

impl Form {
    /// The response for the form, from the response to the upload.
    pub(super) fn answer(self, reply: Response<Body>) -> Result<Response<Body>, S3Error> {
        match self.refusal.get() {
            Some(Refusal::TooSmall) => {
                return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
            }
            Some(Refusal::TooLarge) => {
                return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
            }
            Some(Refusal::Malformed) => {
                let message = "The body of your POST request is not well-formed multipart/form-data.";
                return Err(s3_error!(MalformedPOSTRequest, "{}", message));
            }
            None if !reply.status().is_success() => return Ok(reply),
            None => {}
        }
        let (mut parts, _) = reply.into_parts();
        let e_tag =
            parts.headers.get(header::ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.status = self.status;
        let mut location = self.location.clone();
        let mut body = Body::empty();
        if let Some(redirect) = &self.redirect {
            parts.status = StatusCode::SEE_OTHER;
            let (mark, bucket, key) =
                (if redirect.contains('?') { '&' } else { '?' }, encoded(&self.bucket), encoded(&self.key));
            location = format!("{redirect}{mark}bucket={bucket}&key={key}&etag={}", encoded(&e_tag));
        } else if self.status == StatusCode::CREATED {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            body = Body::from(Bytes::from(self.created(&e_tag)));
        }
        put(&mut parts.headers, &header::LOCATION, &location)?;
        Ok(Response::from_parts(parts, body))
    }

    fn created(&self, e_tag: &str) -> String {
        let escaped = |text: &str| super::messages::escaped(text).replace('"', "&quot;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket><Key>{}</Key>\
             <ETag>{}</ETag></PostResponse>",
            escaped(&self.location),
            escaped(&self.bucket),
            escaped(&self.key),
            escaped(e_tag)
        )
    }
}
