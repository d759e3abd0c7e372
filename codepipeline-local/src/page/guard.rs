//! Keeps other web pages away from the page.
//!
//! A page of another host can send requests to this port, and a name that it controls can lead to this machine ("DNS rebinding"). Its
//! requests have its own name in `Host`, or its own origin in `Origin`.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method};

use crate::s3;

/// Whether a request is for the page. A virtual-hosted bucket has objects at every path.
pub(crate) fn is_for_page(parts: &Parts) -> bool {
    let path = parts.uri.path();
    (path == "/_" || path.starts_with("/_/")) && !s3::names_bucket(&parts.headers)
}

/// Checks `Host`, `Origin` and `Sec-Fetch-Site`. Returns an error with the reason if the page's own files can't have sent the request.
pub(super) fn check(parts: &Parts) -> Result<(), String> {
    let host = only(&parts.headers, HOST.as_str()).filter(|host| is_own(host));
    // A proxy's request has the host in its line too.
    let line = parts.uri.authority().map(Authority::as_str);
    let Some(host) = host.filter(|host| line.is_none_or(|line| line.eq_ignore_ascii_case(host))) else {
        return Err("The page answers only at an IP address or localhost, such as http://127.0.0.1:PORT/_/".to_owned());
    };
    let has_origin = parts.headers.contains_key(ORIGIN);
    let origin = only(&parts.headers, ORIGIN.as_str());
    let is_same = origin.is_some_and(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")));
    if has_origin && !is_same {
        return Err("Another web page sent the request; only the page itself may".to_owned());
    }
    if !has_origin && parts.method == Method::POST {
        return Err(format!("The request lacks the header Origin: http://{host}"));
    }
    let is_call = parts.uri.path().starts_with("/_/api/");
    let site = parts.headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    if is_call && site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err("Another web page sent the request; only the page itself may".to_owned());
    }
    Ok(())
}

/// The value of a header that occurs once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether the host is `localhost` or an IP address. No name server can make another host lead here then.
fn is_own(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let version_6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_address = match version_6 {
        Some(name) => name.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    };
    (is_address || name.eq_ignore_ascii_case("localhost")) && !host.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: Method, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn page_has_one_folder_of_paths() {
        let is_page = |uri: &str, host: &str| is_for_page(&parts(Method::GET, uri, &[("host", host)]));
        assert!(is_page("/_", "localhost") && is_page("/_/", "127.0.0.1:1") && is_page("/_/api/view?view=x", "evil"));
        assert!(!is_page("/", "localhost") && !is_page("/_x/key", "localhost") && !is_page("/b/_/key", "localhost"));
        assert!(!is_page("/_/key", "bucket.localhost:4566") && !is_page("/_/", "b.s3.eu-west-1.localhost"));
        assert!(is_page("/_/", "s3.localhost"), "this names no bucket, so the guard refuses it");
    }

    #[test]
    fn host_must_be_an_address_or_localhost() {
        for host in ["127.0.0.1", "127.0.0.1:4566", "localhost:1", "LOCALHOST", "[::1]:4566", "[::1]", "192.0.2.7:80"] {
            assert_eq!(check(&parts(Method::GET, "/_/", &[("host", host)])), Ok(()), "{host}");
        }
        for host in
            ["evil.example", "evil.example:4566", "127.0.0.1.evil.example", "localhost.", "s3.localhost", "", "[::1"]
        {
            assert!(check(&parts(Method::GET, "/_/", &[("host", host)])).is_err(), "{host}");
        }
        assert!(check(&parts(Method::GET, "/_/", &[("host", "evil.example@127.0.0.1")])).is_err());
        assert!(check(&parts(Method::GET, "/_/", &[])).is_err());
        assert!(check(&parts(Method::GET, "/_/", &[("host", "localhost"), ("host", "evil.example")])).is_err());
        assert!(check(&parts(Method::GET, "http://evil.example/_/", &[("host", "localhost")])).is_err());
    }

    #[test]
    fn origin_must_be_the_page_itself() {
        let check = |method, origins: &[&str]| {
            let origins = origins.iter().map(|origin| ("origin", *origin));
            let headers: Vec<_> = std::iter::once(("host", "127.0.0.1:4566")).chain(origins).collect();
            super::check(&parts(method, "/_/api/call/X", &headers)).is_ok()
        };
        assert!(check(Method::POST, &["http://127.0.0.1:4566"]) && check(Method::GET, &["http://127.0.0.1:4566"]));
        assert!(check(Method::GET, &[]), "browsers send none with the GET of a page's own host");
        assert!(!check(Method::POST, &[]));
        for origin in
            ["http://127.0.0.1:3000", "https://127.0.0.1:4566", "http://localhost:4566", "null", "http://evil.example"]
        {
            assert!(!check(Method::POST, &[origin]) && !check(Method::GET, &[origin]), "{origin}");
        }
        assert!(!check(Method::POST, &["http://127.0.0.1:4566", "http://evil.example"]));
    }

    #[test]
    fn another_site_reads_no_data() {
        let check = |uri: &str, site: &str| {
            super::check(&parts(Method::GET, uri, &[("host", "localhost:1"), ("sec-fetch-site", site)])).is_ok()
        };
        assert!(check("/_/api/view", "same-origin") && check("/_/api/view", "none"));
        assert!(!check("/_/api/view", "cross-site") && !check("/_/api/view", "same-site"));
        assert!(check("/_/", "cross-site"), "a link may lead to the page");
    }
}
