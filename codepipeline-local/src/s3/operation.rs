//! The operation of a request, read from its first lines. Faults and logs need it before the request is checked, and
//! also if it is refused.

use http::request::Parts;
use http::{HeaderName, Method};

use super::place::Place;
use super::settings;
use super::signature::query_values;

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

/// The names of the emulated operations, in the API's spelling.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.into_iter().chain(settings::OPERATIONS)
}

/// Operations on objects, and on buckets except for settings.
const OPERATIONS: [&str; 29] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketLocation",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectAcl",
    "PutObjectTagging",
    "UploadPart",
    "UploadPartCopy",
];

/// The operation of a request; `None` if the emulator does not have it.
pub(crate) fn operation(parts: &Parts) -> Option<&'static str> {
    let query = query_values(&parts.uri);
    let has = |name: &str| query.contains_key(name);
    // Subresources such as `?acl` select another operation. They have no value.
    let subresource = |&(name, value): &(&String, &String)| value.is_empty() && !PARAMETERS.contains(&name.as_str());
    let subresource = query.iter().find(subresource).map(|(name, _)| name.as_str());
    let place = match Place::of(&parts.uri, &parts.headers) {
        Place { bucket: None, .. } => Target::Service,
        Place { key: None, .. } => Target::Bucket,
        Place { key: Some(_), .. } => Target::Object,
    };
    if let (Target::Bucket, Some(kind)) = (place, settings::of_query(has)) {
        return kind.operation(&parts.method, has("id"));
    }
    let copies = parts.headers.contains_key(COPY_SOURCE);
    Some(match (place, &parts.method, subresource) {
        (Target::Service, &Method::GET, None) => "ListBuckets",
        (Target::Bucket, &Method::GET, Some("location")) => "GetBucketLocation",
        (Target::Bucket, &Method::GET, Some("versioning")) => "GetBucketVersioning",
        (Target::Bucket, &Method::GET, Some("versions")) => "ListObjectVersions",
        (Target::Bucket, &Method::GET, Some("uploads")) => "ListMultipartUploads",
        (Target::Bucket, &Method::PUT, Some("versioning")) => "PutBucketVersioning",
        (Target::Bucket, &Method::GET, None) if query.get("list-type").is_some_and(|value| value == "2") => {
            "ListObjectsV2"
        }
        (Target::Bucket, &Method::GET, None) => "ListObjects",
        (Target::Bucket, &Method::PUT, None) => "CreateBucket",
        (Target::Bucket, &Method::DELETE, None) => "DeleteBucket",
        (Target::Bucket, &Method::HEAD, None) => "HeadBucket",
        (Target::Bucket, &Method::POST, Some("delete")) => "DeleteObjects",
        // An upload by a form.
        (Target::Bucket, &Method::POST, None) => "PutObject",
        (Target::Object, &Method::GET, Some("acl")) => "GetObjectAcl",
        (Target::Object, &Method::GET, Some("attributes")) => "GetObjectAttributes",
        (Target::Object, &Method::GET, Some("tagging")) => "GetObjectTagging",
        (Target::Object, &Method::PUT, Some("acl")) => "PutObjectAcl",
        (Target::Object, &Method::PUT, Some("tagging")) => "PutObjectTagging",
        (Target::Object, &Method::DELETE, Some("tagging")) => "DeleteObjectTagging",
        (Target::Object, &Method::GET, None) if has("uploadId") => "ListParts",
        (Target::Object, &Method::GET, None) => "GetObject",
        (Target::Object, &Method::HEAD, None) => "HeadObject",
        (Target::Object, &Method::PUT, None) => match (has("uploadId"), copies) {
            (true, true) => "UploadPartCopy",
            (true, false) => "UploadPart",
            (false, true) => "CopyObject",
            (false, false) => "PutObject",
        },
        (Target::Object, &Method::POST, Some("uploads")) => "CreateMultipartUpload",
        (Target::Object, &Method::POST, None) if has("uploadId") => "CompleteMultipartUpload",
        (Target::Object, &Method::DELETE, None) if has("uploadId") => "AbortMultipartUpload",
        (Target::Object, &Method::DELETE, None) => "DeleteObject",
        _ => return None,
    })
}

/// The target of a request.
#[derive(Clone, Copy)]
enum Target {
    Service,
    Bucket,
    Object,
}

/// Query parameters that may have an empty value and are not subresources.
const PARAMETERS: [&str; 10] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "key-marker",
    "marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "versionId",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, uri: &str) -> Option<&'static str> {
        operation(&http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn other_parameters_do_not_change_the_operation() {
        assert_eq!(of("GET", "/bucket/?list-type=2&prefix=&delimiter="), Some("ListObjectsV2"));
        assert_eq!(of("GET", "/bucket?marker="), Some("ListObjects"));
        assert_eq!(of("PUT", "/bucket/a/b?x-id=PutObject&X-Amz-Signature=1"), Some("PutObject"));
        assert_eq!(of("GET", "/"), Some("ListBuckets"));
    }

    #[test]
    fn missing_operations_have_no_name() {
        for (method, uri) in
            [("GET", "/bucket/key?torrent"), ("PUT", "/bucket/key?legal-hold"), ("POST", "/"), ("PATCH", "/b/k")]
        {
            assert_eq!(of(method, uri), None, "{method} {uri}");
        }
    }
}
