//! Forwards requests for services that the emulator does not have.
//!
//! Everything that a client signed stays unchanged, also its `Host`, so a signature that is valid here is valid there. Bodies are streamed
//! in both directions.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::Body;
use tokio::net::TcpStream;

use crate::reply::failure;
use crate::services::signing_name;

/// How long a connection may take to be established.
const CONNECT: Duration = Duration::from_secs(10);

/// The emulator's name in `Via` (RFC 9110, 7.6.3). A request that has it comes from an emulator.
const VIA: &str = "1.1 codepipeline-local";

/// Hop-by-hop headers (RFC 9110, 7.6.1). hyper writes its own, and the emulator has answered the expectation.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// The addresses of services outside the emulator.
#[derive(Clone, Default)]
pub struct Endpoints(BTreeMap<String, Endpoint>);

/// The address of one service, read from `SERVICE=URL` such as `stepfunctions=http://127.0.0.1:5000`.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its name in signatures.
    service: String,
    authority: Authority,
    /// The prefix of its paths, without a slash at the end.
    path: String,
}

/// A mistake in an endpoint's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// It does not have two parts.
    #[error("write SERVICE=URL, as in stepfunctions=http://127.0.0.1:5000")]
    Form,
    /// The emulator itself has this service.
    #[error("{0} is a service of the emulator itself and can't be forwarded")]
    Own(String),
    /// Not a URL, or one with more than an address and a path.
    #[error("the URL of {0} is not a service's; write one such as http://127.0.0.1:5000")]
    Url(String),
    /// TLS.
    #[error(
        "the URL of {0} must begin with http://: a request is passed on with the signature for this emulator, which AWS itself \
         would refuse"
    )]
    Scheme(String),
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let (name, url) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(InvalidEndpoint::Form)?;
        let service = signing_name(name);
        if matches!(service.as_str(), "s3" | "codepipeline") {
            return Err(InvalidEndpoint::Own(name.to_owned()));
        }
        let wrong = || InvalidEndpoint::Url(name.to_owned());
        let url: Uri = url.parse().map_err(|_| wrong())?;
        match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => return Err(InvalidEndpoint::Scheme(name.to_owned())),
            _ => return Err(wrong()),
        }
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        if url.query().is_some() {
            return Err(wrong());
        }
        Ok(Self { service, authority: authority.clone(), path: url.path().trim_end_matches('/').to_owned() })
    }
}

impl FromIterator<Endpoint> for Endpoints {
    /// The last endpoint of a service wins.
    fn from_iter<T: IntoIterator<Item = Endpoint>>(endpoints: T) -> Self {
        Self(endpoints.into_iter().map(|endpoint| (endpoint.service.clone(), endpoint)).collect())
    }
}

impl Endpoints {
    /// The endpoint of the service with this name in signatures.
    pub(crate) fn of(&self, service: &str) -> Option<&Endpoint> {
        self.0.get(service)
    }
}

/// Marks a forwarded service's response, which has its own date and request id.
#[derive(Clone, Copy)]
pub(crate) struct Forwarded;

impl Endpoint {
    /// Sends the request to the service and returns its response.
    pub(crate) async fn forward(&self, request: Request<Body>) -> Response<Body> {
        if request.headers().get_all(header::VIA).iter().any(|via| via == VIA) {
            let message = format!("--endpoint sends {} to this emulator itself", self.service);
            return failure(StatusCode::LOOP_DETECTED, "UnknownOperationException", &message);
        }
        let mut reply = match self.exchange(request).await {
            Ok(reply) => reply.map(Body::from),
            Err(why) => {
                let Self { service, authority, .. } = self;
                let message =
                    format!("{service} at http://{authority}, which --endpoint names, does not answer: {why}");
                return failure(StatusCode::BAD_GATEWAY, "ServiceUnavailableException", &message);
            }
        };
        remove_hop_by_hop_headers(reply.headers_mut());
        reply.extensions_mut().insert(Forwarded);
        reply
    }

    /// The address, as in the header `Host`.
    pub(crate) fn host(&self) -> &str {
        self.authority.as_str()
    }

    /// A path at the service, below the URL's own path.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }

    /// Sends the request to its path below the URL's own, and returns the response or the reason for none.
    pub(crate) async fn exchange(&self, request: Request<Body>) -> Result<Response<hyper::body::Incoming>, String> {
        let (mut parts, body) = request.into_parts();
        remove_hop_by_hop_headers(&mut parts.headers);
        parts.headers.append(header::VIA, HeaderValue::from_static(VIA));
        let rest = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        parts.uri = self.path(rest).parse().map_err(|error| format!("{error}"))?;
        parts.version = Version::HTTP_11;
        let host = self.authority.host().trim_matches(['[', ']']);
        let connecting = TcpStream::connect((host, self.authority.port_u16().unwrap_or(80)));
        let connected =
            tokio::time::timeout(CONNECT, connecting).await.map_err(|_| "no connection in time".to_owned())?;
        let stream = connected.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // This task ends with the response's body, or when the body is dropped.
        tokio::spawn(connection);
        sender.send_request(Request::from_parts(parts, body)).await.map_err(|error| error.to_string())
    }
}

fn remove_hop_by_hop_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_has_service_and_address() {
        let read = |text: &str| text.parse::<Endpoint>().map(|it| (it.service, it.authority.to_string(), it.path));
        let place = |service: &str, authority: &str, path: &str| Ok((service.into(), authority.into(), path.into()));
        assert_eq!(read("stepfunctions=http://127.0.0.1:5000"), place("states", "127.0.0.1:5000", ""));
        assert_eq!(read("dynamodb=http://[::1]:8000/base/"), place("dynamodb", "[::1]:8000", "/base"));
        for (text, named) in [
            ("stepfunctions", "SERVICE=URL"),
            ("=http://localhost", "SERVICE=URL"),
            ("s3=http://localhost", "s3 is a service of the emulator"),
            ("sfn=https://states.us-east-1.amazonaws.com", "http://"),
            ("sfn=localhost:5000", "http://127.0.0.1:5000"),
            ("sfn=", "http://127.0.0.1:5000"),
            ("sfn=http://user:MARKER@localhost", "http://127.0.0.1:5000"),
            ("sfn=http://localhost?a=b", "http://127.0.0.1:5000"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("MARKER"), "{text}: {error}");
        }
    }

    #[test]
    fn hop_by_hop_headers_are_not_forwarded() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, X-Own"), ("x-own", "1"), ("expect", "100-continue"), ("host", "here")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_hop_by_hop_headers(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["host"]);
    }
}
