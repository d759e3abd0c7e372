//! The bucket and key of a request, from its path or with the bucket in its host (S3 User Guide, "Virtual hosting of
//! general purpose buckets").

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Uri};
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

use super::signature::decode;

/// The domain of hosts that name a bucket: `BUCKET.localhost` and `BUCKET.s3.localhost`, with or without a region.
const DOMAIN: &str = "localhost";

/// The bucket and key of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: Option<String>,
    pub(super) key: Option<String>,
}

impl Place {
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let path = decode(uri.path(), false);
        let path = path.strip_prefix('/').unwrap_or(&path);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        match host.and_then(bucket_of_host) {
            Some(bucket) => Self { bucket: Some(bucket), key: some(path) },
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                Self { bucket: some(bucket), key: some(key) }
            }
        }
    }
}

/// The bucket and key of a request in the form `s3://bucket/key`.
pub(crate) fn place(parts: &Parts) -> String {
    let Place { bucket, key } = Place::of(&parts.uri, &parts.headers);
    format!("s3://{}/{}", bucket.unwrap_or_default(), key.unwrap_or_default())
}

/// Whether the `Host` header names a bucket.
pub(crate) fn names_bucket(headers: &HeaderMap) -> bool {
    headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(bucket_of_host).is_some()
}

/// The bucket in a `Host` header; `None` for hosts outside [`DOMAIN`].
fn bucket_of_host(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    let before = name.strip_suffix(DOMAIN)?.strip_suffix('.').filter(|before| !before.is_empty())?;
    let mut labels: Vec<&str> = before.split('.').collect();
    // `s3`, `s3.REGION` or `s3.dualstack.REGION` may precede the domain, as with `amazonaws.com`.
    match *labels.as_slice() {
        [.., "s3", "dualstack", region] if is_region(region) => labels.truncate(labels.len() - 3),
        [.., "s3", region] if is_region(region) => labels.truncate(labels.len() - 2),
        [.., "s3"] => labels.truncate(labels.len() - 1),
        _ => {}
    }
    (!labels.is_empty()).then(|| labels.join("."))
}

/// Whether the text has the form of a region name, such as `eu-west-1` or `us-gov-east-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(word) && number.len() == 1 && number.bytes().all(|it| it.is_ascii_digit())
}

/// The parser of hosts for `s3s`.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match bucket_of_host(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_below_localhost_names_a_bucket() {
        for (host, bucket) in [
            ("artifacts.localhost:4566", Some("artifacts")),
            ("Artifacts.LOCALHOST", Some("artifacts")),
            ("artifacts.s3.localhost", Some("artifacts")),
            ("artifacts.s3.eu-west-1.localhost:1", Some("artifacts")),
            ("artifacts.s3.dualstack.us-gov-east-1.localhost", Some("artifacts")),
            ("my.bucket.s3.localhost", Some("my.bucket")),
            ("my.bucket.localhost", Some("my.bucket")),
            ("a.s3.b.localhost", Some("a.s3.b")),
            ("localhost:4566", None),
            ("s3.localhost", None),
            ("s3.eu-west-1.localhost", None),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
            ("host.docker.internal:4566", None),
            ("notlocalhost", None),
            (".localhost", None),
            ("", None),
        ] {
            assert_eq!(bucket_of_host(host).as_deref(), bucket, "{host}");
        }
    }

    #[test]
    fn place_is_read_from_host_or_path() {
        let place = |host: &str, path: &str| {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            let place = Place::of(&path.parse().unwrap(), &headers);
            [place.bucket, place.key].map(Option::unwrap_or_default).join("|")
        };
        assert_eq!(place("b.localhost", "/a%20b/c?acl"), "b|a b/c");
        assert_eq!(place("b.localhost", "/"), "b|");
        assert_eq!(place("localhost", "/b/a/c"), "b|a/c");
        assert_eq!(place("localhost", "/b/"), "b|");
        assert_eq!(place("localhost", "/"), "|");
    }
}
