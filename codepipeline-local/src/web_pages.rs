//! Requests that a browser sends for a web page. An emulator that runs commands must not answer the pages of strangers.
//!
//! A page can give its own name the address 127.0.0.1 after it was loaded (DNS rebinding). Then the browser takes the emulator for the
//! page's server, and its requests have the page's name in `Host`.

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri, header};

/// The names that a request may have in `Host`, in words.
pub(crate) const LOCAL: &str =
    "an IP address, localhost, a name below localhost, internal or amazonaws.com, or a name without a dot";

/// The ends of names that no stranger can give the address 127.0.0.1. S3 finds a bucket below `localhost`, and Docker has
/// `host.docker.internal`. Clients that are led here by their resolver keep the names of AWS. A bucket of AWS can have a stranger's page, but
/// only AWS sets its address.
const ENDS: [&str; 3] = [".localhost", ".internal", ".amazonaws.com"];

/// The first host in the request that a public web page can have. A host that can't be read counts as one.
pub(crate) fn foreign_host(parts: &Parts) -> Option<String> {
    let of_header = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.get_all(header::HOST).iter().map(of_header);
    let of_uri = parts.uri.authority().map(ToString::to_string);
    headers.chain(of_uri).find(|host| !is_local(host))
}

/// Whether no public web page can have this host, which may have a port.
fn is_local(host: &str) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let is_address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok();
    is_address || !name.contains('.') || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a browser sent the request for a page of another host. Such a page could run commands of this machine by a pipeline. Browsers
/// send the header `Origin` with every POST (Fetch Standard, "Origin header"); SDKs don't.
pub(crate) fn has_foreign_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let host = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()?.host().map(str::to_owned));
    !host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_public_pages_are_foreign() {
        for host in [
            "127.0.0.1:4566",
            "[::1]:4566",
            "172.17.0.1",
            "localhost",
            "LOCALHOST:4566",
            "localhost.:80",
            "my.bucket.s3.localhost:4566",
            "host.docker.internal:4566",
            "emulator:4566",
            "bucket.s3.eu-west-1.amazonaws.com",
            "",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:4566",
            "evil.example.",
            "127.0.0.1.evil.example",
            "localhost.evil.example:4566",
            "evilamazonaws.com",
            "amazonaws.com.evil.example",
            "1.2.3.4.5",
            "a b",
            "<script>",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn every_host_of_a_request_counts() {
        let parts = |uri: &str, hosts: &[&str]| {
            let request =
                hosts.iter().fold(http::Request::builder().uri(uri), |request, host| request.header("host", *host));
            request.body(()).unwrap().into_parts().0
        };
        assert_eq!(foreign_host(&parts("/", &["localhost:1"])), None);
        assert_eq!(foreign_host(&parts("/", &["localhost", "evil.example:1"])).as_deref(), Some("evil.example:1"));
        assert_eq!(foreign_host(&parts("http://evil.example/a", &["localhost"])).as_deref(), Some("evil.example"));
    }

    #[test]
    fn origins_of_other_hosts_are_foreign() {
        let with = |origin: &'static str| {
            has_foreign_origin(&HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]))
        };
        assert!(!has_foreign_origin(&HeaderMap::new()), "an SDK");
        assert!(!with("http://127.0.0.1:4566") && !with("http://localhost:3000") && !with("http://[::1]:80"));
        assert!(with("http://evil.example") && with("http://127.0.0.1.evil.example:4566") && with("null") && with(""));
    }
}
