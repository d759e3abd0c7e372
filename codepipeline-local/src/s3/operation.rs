//! Which operation a request asks for, told from its first lines: before it is judged, and though it be refused.

use http::request::Parts;
use http::{HeaderName, Method};

use super::signature::query_values;

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

/// The names of the operations that the emulator has, in the API's spelling.
pub(crate) const OPERATIONS: [&str; 25] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteObject",
    "DeleteObjects",
    "GetBucketLocation",
    "GetBucketVersioning",
    "GetObject",
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
    "UploadPart",
    "UploadPartCopy",
];

/// The request's operation; `None` if it is none of [`OPERATIONS`].
pub(crate) fn operation(parts: &Parts) -> Option<&'static str> {
    let query = query_values(&parts.uri);
    let has = |name: &str| query.contains_key(name);
    // `?acl` and its like make another operation of a request; they stand without a value, as the uploads' do.
    let subresource = |&(name, value): &(&String, &String)| value.is_empty() && !PARAMETERS.contains(&name.as_str());
    let subresource = query.iter().find(subresource).map(|(name, _)| name.as_str());
    let path = parts.uri.path().trim_start_matches('/');
    let place = match path.split_once('/') {
        _ if path.is_empty() => Place::Service,
        None | Some((_, "")) => Place::Bucket,
        Some(_) => Place::Object,
    };
    let copies = parts.headers.contains_key(COPY_SOURCE);
    Some(match (place, &parts.method, subresource) {
        (Place::Service, &Method::GET, None) => "ListBuckets",
        (Place::Bucket, &Method::GET, Some("location")) => "GetBucketLocation",
        (Place::Bucket, &Method::GET, Some("versioning")) => "GetBucketVersioning",
        (Place::Bucket, &Method::GET, Some("versions")) => "ListObjectVersions",
        (Place::Bucket, &Method::GET, Some("uploads")) => "ListMultipartUploads",
        (Place::Bucket, &Method::PUT, Some("versioning")) => "PutBucketVersioning",
        (Place::Bucket, &Method::GET, None) if query.get("list-type").is_some_and(|value| value == "2") => {
            "ListObjectsV2"
        }
        (Place::Bucket, &Method::GET, None) => "ListObjects",
        (Place::Bucket, &Method::PUT, None) => "CreateBucket",
        (Place::Bucket, &Method::DELETE, None) => "DeleteBucket",
        (Place::Bucket, &Method::HEAD, None) => "HeadBucket",
        (Place::Bucket, &Method::POST, Some("delete")) => "DeleteObjects",
        // A form that uploads an object.
        (Place::Bucket, &Method::POST, None) => "PutObject",
        (Place::Object, &Method::GET, Some("attributes")) => "GetObjectAttributes",
        (Place::Object, &Method::GET, Some("tagging")) => "GetObjectTagging",
        (Place::Object, &Method::GET, None) if has("uploadId") => "ListParts",
        (Place::Object, &Method::GET, None) => "GetObject",
        (Place::Object, &Method::HEAD, None) => "HeadObject",
        (Place::Object, &Method::PUT, None) => match (has("uploadId"), copies) {
            (true, true) => "UploadPartCopy",
            (true, false) => "UploadPart",
            (false, true) => "CopyObject",
            (false, false) => "PutObject",
        },
        (Place::Object, &Method::POST, Some("uploads")) => "CreateMultipartUpload",
        (Place::Object, &Method::POST, None) if has("uploadId") => "CompleteMultipartUpload",
        (Place::Object, &Method::DELETE, None) if has("uploadId") => "AbortMultipartUpload",
        (Place::Object, &Method::DELETE, None) => "DeleteObject",
        _ => return None,
    })
}

/// What a request is about.
#[derive(Clone, Copy)]
enum Place {
    Service,
    Bucket,
    Object,
}

/// What may stand in a query with an empty value and is no subresource.
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
    fn empty_parameters_and_presigned_ones_leave_the_operation_as_it_is() {
        assert_eq!(of("GET", "/bucket/?list-type=2&prefix=&delimiter="), Some("ListObjectsV2"));
        assert_eq!(of("GET", "/bucket?marker="), Some("ListObjects"));
        assert_eq!(of("PUT", "/bucket/a/b?x-id=PutObject&X-Amz-Signature=1"), Some("PutObject"));
        assert_eq!(of("GET", "/"), Some("ListBuckets"));
    }

    #[test]
    fn what_the_emulator_does_not_have_is_no_operation_of_it() {
        for (method, uri) in [("GET", "/bucket?acl"), ("PUT", "/bucket/key?tagging"), ("POST", "/"), ("PATCH", "/b/k")]
        {
            assert_eq!(of(method, uri), None, "{method} {uri}");
        }
    }
}
