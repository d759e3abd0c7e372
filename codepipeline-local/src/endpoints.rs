//! Services that are elsewhere: their requests are passed on as they came.
//!
//! Everything that a client signed stays, its `Host` among it, so a signature that is good here is good there. Bodies pass as
//! streams in both directions.

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

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How the emulator names itself in `Via` (RFC 9110, 7.6.3). A request that bears it has been here before.
const VIA: &str = "1.1 codepipeline-local";

/// Headers that are between two neighbours alone (RFC 9110, 7.6.1). hyper makes its own, and the expectation was met here.
const BETWEEN_NEIGHBOURS: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// The places of services outside the emulator.
#[derive(Clone, Default)]
pub struct Endpoints(BTreeMap<String, Endpoint>);

/// Where one service is. As a text, `SERVICE=URL`: `stepfunctions=http://127.0.0.1:5000`.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its name in signatures.
    service: String,
    authority: Authority,
    /// The beginning of its paths, without a slash at the end.
    path: String,
}

/// A mistake in an endpoint's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// It has not two parts.
    #[error("write SERVICE=URL, as in stepfunctions=http://127.0.0.1:5000")]
    Form,
    /// The emulator is this service.
    #[error("{0} is what the emulator is for; it can't be elsewhere")]
    Own(String),
    /// No URL, or one with more in it than a place.
    #[error("the URL of {0} can't be that of a service; write one such as http://127.0.0.1:5000")]
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
    /// Of several for one service, the last counts.
    fn from_iter<T: IntoIterator<Item = Endpoint>>(endpoints: T) -> Self {
        Self(endpoints.into_iter().map(|endpoint| (endpoint.service.clone(), endpoint)).collect())
    }
}

impl Endpoints {
    /// Where the service with this name in signatures is, if it is elsewhere.
    pub(crate) fn of(&self, service: &str) -> Option<&Endpoint> {
        self.0.get(service)
    }
}

/// Marks an answer that came from elsewhere: it has its own date and request id.
#[derive(Clone, Copy)]
pub(crate) struct Forwarded;

impl Endpoint {
    /// Has the service answer.
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
                    format!("{service} is at http://{authority}, as --endpoint says, and does not answer: {why}");
                return failure(StatusCode::BAD_GATEWAY, "ServiceUnavailableException", &message);
            }
        };
        remove_neighbours_headers(reply.headers_mut());
        reply.extensions_mut().insert(Forwarded);
        reply
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<hyper::body::Incoming>, String> {
        let (mut parts, body) = request.into_parts();
        remove_neighbours_headers(&mut parts.headers);
        parts.headers.append(header::VIA, HeaderValue::from_static(VIA));
        let rest = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        parts.uri = format!("{}{rest}", self.path).parse().map_err(|error| format!("{error}"))?;
        parts.version = Version::HTTP_11;
        let host = self.authority.host().trim_matches(['[', ']']);
        let connecting = TcpStream::connect((host, self.authority.port_u16().unwrap_or(80)));
        let connected =
            tokio::time::timeout(CONNECT, connecting).await.map_err(|_| "no connection in time".to_owned())?;
        let stream = connected.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // It ends with the answer's body, or when that is dropped.
        tokio::spawn(connection);
        sender.send_request(Request::from_parts(parts, body)).await.map_err(|error| error.to_string())
    }
}

fn remove_neighbours_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&BETWEEN_NEIGHBOURS) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_service_and_a_place() {
        let read = |text: &str| text.parse::<Endpoint>().map(|it| (it.service, it.authority.to_string(), it.path));
        let place = |service: &str, authority: &str, path: &str| Ok((service.into(), authority.into(), path.into()));
        assert_eq!(read("stepfunctions=http://127.0.0.1:5000"), place("states", "127.0.0.1:5000", ""));
        assert_eq!(read("dynamodb=http://[::1]:8000/base/"), place("dynamodb", "[::1]:8000", "/base"));
        for (text, named) in [
            ("stepfunctions", "SERVICE=URL"),
            ("=http://localhost", "SERVICE=URL"),
            ("s3=http://localhost", "s3 is what the emulator is for"),
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
    fn headers_between_neighbours_are_not_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, X-Own"), ("x-own", "1"), ("expect", "100-continue"), ("host", "here")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_neighbours_headers(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["host"]);
    }
}
