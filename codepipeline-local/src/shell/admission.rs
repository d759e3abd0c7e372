//! Which requests the emulator answers: not those of strangers' web pages, and only those with its keys, if it has any.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use s3s::{Body, HttpError};

use crate::access_keys::{AccessKeys, REFUSED};
use crate::reply::failure;
use crate::services::{self, Service};
use crate::types::Grant;
use crate::web_pages::{LOCAL, foreign_host, has_foreign_origin};
use crate::{s3, sts};

/// The service's code for an unknown access key ("Common Errors" in the services' API references).
const UNKNOWN: &str = "UnrecognizedClientException";
const DENIED: &str = "AccessDeniedException";

/// A response, or the failure to write one.
type Refusal = Result<Response<Body>, HttpError>;

/// The rules for requests over the port.
pub(crate) struct Admission {
    pub(crate) keys: Option<Arc<AccessKeys>>,
    /// Refuses a `Host` that a public web page can have.
    pub(crate) local_hosts_only: bool,
}

/// The protocol of a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    S3,
    /// Forms and XML, as STS has.
    Query,
    Json,
}

impl Protocol {
    fn of(service: &Service, parts: &Parts) -> Self {
        if sts::is_for(&parts.method, &parts.uri, &parts.headers) {
            Self::Query
        } else if *service == Service::S3 {
            Self::S3
        } else {
            Self::Json
        }
    }

    /// A refusal with the status 403. `of_s3` is the code of S3.
    fn refuse(self, (code, of_s3): (&'static str, &str), message: &str) -> Refusal {
        match self {
            Self::S3 => s3::refusal(of_s3, message),
            Self::Query => Ok(sts::error(StatusCode::FORBIDDEN, code, message)),
            Self::Json => {
                let mut reply = failure(StatusCode::FORBIDDEN, code, message);
                // Services without targets name an error here (Smithy, "AWS restJson1 protocol").
                reply.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(code));
                Ok(reply)
            }
        }
    }
}

impl Admission {
    /// The refusal of a request that must have no effect. `grant` finds the credentials of jobs, which are for S3.
    pub(super) fn refuse(
        &self,
        service: &Service,
        parts: &Parts,
        grant: impl Fn(&str) -> Option<Grant>,
    ) -> Option<Refusal> {
        let protocol = Protocol::of(service, parts);
        let web_page = self.web_page(service, parts);
        let refused = web_page.map(|message| protocol.refuse((DENIED, "AccessDenied"), &message));
        refused.or_else(|| self.refuse_stranger(protocol, parts, grant))
    }

    /// Why the request of a web page is refused. `None` for other requests.
    fn web_page(&self, service: &Service, parts: &Parts) -> Option<String> {
        if let Some(host) = foreign_host(parts).filter(|_| self.local_hosts_only) {
            let host: String = host.chars().filter(|c| !"<>&".contains(*c)).take(100).collect();
            return Some(format!(
                "This emulator runs commands, so it refuses the Host {host}, which a web page can have. Call it by {LOCAL}"
            ));
        }
        // A form is the only POST that a page may send to another host without asking. It could replace the source of a pipeline.
        let runs_commands = self.local_hosts_only && parts.method == Method::POST;
        let refuses_pages = matches!(service, Service::CodePipeline(_)) || runs_commands;
        (refuses_pages && has_foreign_origin(&parts.headers)).then(|| {
            let name = service.name();
            format!("The emulator accepts no requests for {name} from web pages of other hosts")
        })
    }

    fn refuse_stranger(
        &self,
        protocol: Protocol,
        parts: &Parts,
        grant: impl Fn(&str) -> Option<Grant>,
    ) -> Option<Refusal> {
        let own = self.keys.as_ref()?.access_key_id();
        if protocol != Protocol::S3 {
            let is_known = services::claimed_key(parts).is_some_and(|key| key == own);
            return (!is_known).then(|| protocol.refuse((UNKNOWN, UNKNOWN), REFUSED));
        }
        if s3::is_form(&parts.method, &parts.headers) {
            // S3 checks the key in the form.
            return None;
        }
        match s3::claimed_key(parts) {
            Some(key) if key == own || grant(&key).is_some() => None,
            Some(_) => Some(s3::refusal("InvalidAccessKeyId", REFUSED)),
            None => Some(s3::refusal("AccessDenied", &format!("This request is not signed. {REFUSED}"))),
        }
    }
}
