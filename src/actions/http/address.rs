//! The configured URL, and the locations that the service may name.

use std::net::IpAddr;

use reqwest::Url;

use super::HttpMistake;
use crate::placeholder::Template;

/// In characters. The continuation token must hold the location and other members.
const LONGEST_LOCATION: usize = 1000;

/// The service's URL: `https`, or `http` on this machine.
pub(super) struct Address(Url);

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, HttpMistake> {
        if Template::parse(text).map_or(true, |template| template.literal().is_none()) {
            return Err(HttpMistake::Placeholder);
        }
        let url = Url::parse(text).map_err(|_| HttpMistake::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(HttpMistake::Insecure),
            _ => return Err(HttpMistake::NotAUrl),
        }
        if has_user(&url) {
            return Err(HttpMistake::User);
        }
        if url.fragment().is_some() {
            return Err(HttpMistake::Fragment);
        }
        Ok(Self(url))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns the URL that a `Location` header names in the response to a request for `asked`, or the rule that it breaks.
    /// Requests carry the action's configuration and links to its artifacts, so they go to the configured host alone:
    /// over `https`, or to the configured origin itself.
    pub(super) fn location(&self, asked: &Url, header: &str) -> Result<Url, &'static str> {
        let mut location = asked.join(header).map_err(|_| "is not a URL")?;
        location.set_fragment(None);
        if location.host_str() != self.0.host_str() {
            return Err("names another host than the configured URL");
        }
        if location.scheme() != "https" && location.origin() != self.0.origin() {
            return Err("is neither https nor of the configured URL's scheme, host and port");
        }
        if has_user(&location) {
            return Err("has a user name or password in it");
        }
        if location.as_str().len() > LONGEST_LOCATION {
            return Err("is longer than 1000 characters");
        }
        Ok(location)
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> Option<HttpMistake> {
        Address::parse(text).err()
    }

    #[test]
    fn https_and_local_http_are_valid() {
        for text in [
            "https://example.com",
            "https://example.com:8443/a?b=c",
            "http://localhost:3000/",
            "http://127.0.0.1/x",
            "http://127.8.9.1/x",
            "http://[::1]:80/x",
        ] {
            assert_eq!(mistake(text), None, "{text}");
        }
        for text in ["http://example.com", "http://10.0.0.1/", "http://localhost.example.com", "http://[::2]/"] {
            assert_eq!(mistake(text), Some(HttpMistake::Insecure), "{text}");
        }
    }

    #[test]
    fn invalid_addresses_are_refused() {
        for text in ["", "example.com/x", "/x", "ftp://example.com/", "file:///etc/passwd", "https://"] {
            assert_eq!(mistake(text), Some(HttpMistake::NotAUrl), "{text}");
        }
        assert_eq!(mistake("https://user@example.com/"), Some(HttpMistake::User));
        assert_eq!(mistake("https://:hunter2@example.com/"), Some(HttpMistake::User));
        assert_eq!(mistake("https://example.com/#x"), Some(HttpMistake::Fragment));
        assert_eq!(mistake("https://example.com/{Config:Path}"), Some(HttpMistake::Placeholder));
    }

    #[test]
    fn message_does_not_show_the_url() {
        for text in ["https://:hunter2@example.com/", "http://hunter2.example.com/", "hunter2", "https://x/#hunter2"] {
            let message = mistake(text).unwrap().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    fn location(configured: &str, asked: &str, header: &str) -> Result<String, &'static str> {
        let address = Address::parse(configured).unwrap_or_else(|mistake| panic!("{mistake}"));
        address.location(&Url::parse(asked).unwrap(), header).map(String::from)
    }

    #[test]
    fn location_is_relative_to_the_request() {
        let at = |header| location("https://example.com/jobs", "https://example.com/runs/1/", header).unwrap();
        assert_eq!(at("/runs/7"), "https://example.com/runs/7");
        assert_eq!(at("steps/2?x=y"), "https://example.com/runs/1/steps/2?x=y");
        assert_eq!(at("https://example.com:8443/x#part"), "https://example.com:8443/x");
    }

    #[test]
    fn location_on_another_host_is_refused() {
        let configured = "https://example.com/jobs";
        let refused = |header| location(configured, configured, header).unwrap_err();
        assert_eq!(refused("https://evil.example/"), "names another host than the configured URL");
        assert_eq!(refused("//evil.example/x"), "names another host than the configured URL");
        assert_eq!(refused("https://example.com.evil.example/"), "names another host than the configured URL");
        assert_eq!(refused("file:///etc/passwd"), "names another host than the configured URL");
        assert!(refused("http://example.com/x").starts_with("is neither https"));
        assert!(refused("https://user@example.com/x").starts_with("has a user name"));
        assert_eq!(refused("https://[/"), "is not a URL");
        assert_eq!(refused(&"x".repeat(1000)), "is longer than 1000 characters");
    }

    #[test]
    fn another_port_of_this_machine_is_another_service() {
        let configured = "http://127.0.0.1:3000/jobs";
        assert!(location(configured, configured, "http://127.0.0.1:3000/runs/1").is_ok());
        assert!(location(configured, configured, "http://127.0.0.1:9001/runs/1").is_err());
        assert!(location(configured, configured, "http://localhost:3000/runs/1").is_err());
    }
}
