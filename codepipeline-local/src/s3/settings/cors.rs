//! Cross-origin requests of browsers, checked against the CORS rules of a bucket (S3 User Guide, "Using cross-origin
//! resource sharing").

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response};
use s3s::dto::{CORSConfiguration, CORSRule};
use s3s::{Body, S3Result, s3_error};

use super::kept::BucketSettings;
use super::read::{malformed, parsed};

const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

pub(super) fn check(configuration: &CORSConfiguration) -> S3Result<()> {
    if configuration.cors_rules.is_empty() || configuration.cors_rules.len() > 100 {
        return Err(malformed());
    }
    for rule in &configuration.cors_rules {
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(s3_error!(
                InvalidRequest,
                "Found unsupported HTTP method in CORS config. Unsupported method is {}",
                method.as_str()
            ));
        }
        let origins = &rule.allowed_origins;
        if origins.is_empty() || rule.allowed_methods.is_empty() {
            return Err(malformed());
        }
        if let Some(origin) = origins.iter().find(|origin| origin.matches('*').count() > 1) {
            return Err(s3_error!(InvalidRequest, "AllowedOrigin \"{}\" can not have more than one wildcard.", origin));
        }
    }
    Ok(())
}

/// A browser's cross-origin request.
pub(in crate::s3) struct Cors {
    origin: String,
    method: String,
    headers: Vec<String>,
    preflight: bool,
}

impl Cors {
    /// Reads the request; `None` if it is not cross-origin.
    pub(in crate::s3) fn of(method: &Method, headers: &HeaderMap) -> Option<Self> {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let origin = headers.get(ORIGIN).map(text)?;
        let preflight = *method == Method::OPTIONS;
        let method = if preflight { text(headers.get(ACCESS_CONTROL_REQUEST_METHOD)?) } else { method.to_string() };
        let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|_| preflight).map(text).unwrap_or_default();
        let asked = asked.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
        Some(Self { origin, method, headers: asked.collect(), preflight })
    }

    /// Answers a preflight request.
    pub(in crate::s3) fn preflight(&self, settings: &BucketSettings, bucket: &str) -> S3Result<Response<Body>> {
        if settings.get(bucket, "cors").is_none() {
            return Err(s3_error!(AccessDenied, "CORSResponse: CORS is not enabled for this bucket."));
        }
        let mut reply = Response::new(Body::empty());
        if !self.allow(settings, bucket, reply.headers_mut()) {
            return Err(s3_error!(
                AccessDenied,
                "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
                 method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
                 resource's CORS spec."
            ));
        }
        Ok(reply)
    }

    /// Adds the headers that allow the browser to read the response, if a rule of the bucket matches.
    pub(in crate::s3) fn allow(&self, settings: &BucketSettings, bucket: &str, reply: &mut HeaderMap) -> bool {
        let kept = settings.get(bucket, "cors").and_then(|xml| parsed::<CORSConfiguration>(xml.as_bytes()).ok());
        let rules = kept.map(|configuration| configuration.cors_rules).unwrap_or_default();
        let Some(rule) = rules.iter().find(|rule| self.matches(rule)) else { return false };
        let any = rule.allowed_origins.iter().any(|origin| origin == "*");
        let max_age = rule.max_age_seconds.filter(|_| self.preflight).map(|seconds| seconds.to_string());
        let asked = (!self.headers.is_empty()).then(|| self.headers.join(", "));
        let lines = [
            (ACCESS_CONTROL_ALLOW_ORIGIN, Some(if any { "*".to_owned() } else { self.origin.clone() })),
            (ACCESS_CONTROL_ALLOW_METHODS, Some(rule.allowed_methods.join(", "))),
            (ACCESS_CONTROL_ALLOW_HEADERS, asked),
            (ACCESS_CONTROL_EXPOSE_HEADERS, rule.expose_headers.as_ref().map(|names| names.join(", "))),
            (ACCESS_CONTROL_MAX_AGE, max_age),
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, (!any).then(|| "true".to_owned())),
            (VARY, Some("Origin, Access-Control-Request-Headers, Access-Control-Request-Method".to_owned())),
        ];
        for (name, value) in lines {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                reply.insert(name, value);
            }
        }
        true
    }

    fn matches(&self, rule: &CORSRule) -> bool {
        let allowed = rule.allowed_headers.as_deref().unwrap_or_default();
        let header = |asked: &String| allowed.iter().any(|name| matches_pattern(&name.to_ascii_lowercase(), asked));
        rule.allowed_origins.iter().any(|origin| matches_pattern(origin, &self.origin))
            && rule.allowed_methods.iter().any(|method| method.as_str() == self.method)
            && self.headers.iter().all(header)
    }
}

/// Whether the text matches a pattern with at most one `*`.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_matches_any_text() {
        assert!(
            matches_pattern("*", "")
                && matches_pattern("https://*.example.com", "https://a.example.com")
                && matches_pattern("x-*", "x-amz")
        );
        assert!(!matches_pattern("aba*ba", "aba") && !matches_pattern("https://a", "https://b"));
    }
}
