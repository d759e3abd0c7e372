//! Headers in the query of a presigned URL. SDKs put headers there, and S3 treats them as headers. boto3's URLs of
//! version 2 have all of `x-amz-*`, `Content-Type` and `Content-MD5` there.

use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::signature::query_pairs;

/// Parameters of the signature (S3 API Reference, "Authenticating Requests: Using Query Parameters").
const OF_SIGNATURE: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];
/// Checksums of an empty body, which is the only body that an SDK knows when it presigns.
const OF_NO_BODY: [&str; 2] = ["x-amz-checksum-", "x-amz-sdk-checksum-"];

/// Adds the query's headers to the headers. Existing headers stay.
pub(super) fn add_to_headers(parts: &mut Parts) {
    let query = query_pairs(&parts.uri);
    let signature = |(name, _): &(String, String)| ["Signature", "X-Amz-Signature"].contains(&name.as_str());
    if !query.iter().any(signature) {
        return;
    }
    for (name, value) in query {
        let name = name.to_ascii_lowercase();
        let header = name.starts_with("x-amz-") || ["content-md5", "content-type"].contains(&name.as_str());
        let other =
            OF_SIGNATURE.contains(&name.as_str()) || OF_NO_BODY.into_iter().any(|start| name.starts_with(start));
        if !header || other {
            continue;
        }
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
        parts.headers.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn headers(uri: &str) -> Vec<String> {
        let request = Request::put(uri).header("x-amz-meta-own", "mine").body(()).unwrap();
        let mut parts = request.into_parts().0;
        add_to_headers(&mut parts);
        let text = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}={}", value.to_str().unwrap());
        let mut all: Vec<_> = parts.headers.iter().map(text).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn presigned_query_becomes_headers() {
        assert_eq!(
            headers(
                "/b/k?X-Amz-Signature=1&X-Amz-Date=2&x-amz-meta-a=b%20c&x-amz-meta-own=theirs&x-amz-checksum-crc32=d"
            ),
            ["x-amz-meta-a=b c", "x-amz-meta-own=mine"]
        );
        assert_eq!(
            headers("/b/k?Signature=1&content-type=text%2Fplain&x-amz-acl=private&response-expires=0"),
            ["content-type=text/plain", "x-amz-acl=private", "x-amz-meta-own=mine"]
        );
        assert_eq!(headers("/b/k?x-amz-meta-a=b"), ["x-amz-meta-own=mine"]);
    }
}
