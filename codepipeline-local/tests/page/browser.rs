//! A client that sends what a browser sends.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use codepipeline_local::Emulator;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser at the page's address.
pub(crate) struct Browser {
    /// The host and port.
    pub(crate) host: String,
    pub(crate) token: String,
}

/// A whole reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

impl Browser {
    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self::at(&emulator.page_address().unwrap())
    }

    /// A browser at the address that a program printed.
    pub(crate) fn at(address: &str) -> Self {
        let (host, token) = address.strip_prefix("http://").unwrap().split_once("/_/?token=").unwrap();
        Self { host: host.to_owned(), token: token.to_owned() }
    }

    /// Sends a request with these headers, and with `Host` unless they have it.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let stream = TcpStream::connect(&self.host).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", &self.host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        sender.send_request(request).await.unwrap()
    }

    pub(crate) async fn reply(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (parts, body) = self.send(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.reply(Method::GET, path, &[], "").await
    }

    /// The items of a view, for the page with the token.
    pub(crate) async fn view(&self, query: &str) -> Value {
        let reply = self.get(&format!("/_/api/view?{query}&token={}", self.token)).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        reply.json()["items"].clone()
    }

    /// Looks at a view until it is as wanted.
    pub(crate) async fn view_until(&self, query: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let items = self.view(query).await;
                if wanted(&items) {
                    return items;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("the view changes")
    }

    /// Calls an operation as the page does.
    pub(crate) async fn call(&self, operation: &str, input: &Value) -> Reply {
        let path = format!("/_/api/call/{operation}?token={}", self.token);
        let headers = [("origin", &*format!("http://{}", self.host)), ("content-type", "application/json")];
        self.reply(Method::POST, &path, &headers, &input.to_string()).await
    }

    /// The events of a view.
    pub(crate) async fn live(&self, query: &str) -> Events {
        let path = format!("/_/api/live?{query}&token={}", self.token);
        let reply = self.send(Method::GET, &path, &[], "").await;
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        Events { body: reply.into_body(), text: BytesMut::new() }
    }
}

/// The events of a stream.
pub(crate) struct Events {
    body: Incoming,
    text: BytesMut,
}

impl Events {
    /// The next event, as its name and data. `None` at the stream's end.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event comes")
    }

    /// The next event, which must be of items.
    pub(crate) async fn items(&mut self) -> Value {
        let (name, data) = self.next().await.unwrap();
        assert_eq!(name, "items", "{data}");
        data
    }

    /// Whether no event comes within the time of two looks at the engine.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(400), self.read()).await.is_err()
    }

    async fn read(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
                let block = self.text.split_to(end + 2);
                let block = std::str::from_utf8(&block).unwrap();
                let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(name), Some(data)) = (line("event: "), line("data: ")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
                assert!(["retry: 1000\n\n", ":\n\n"].contains(&block), "{block:?}");
            }
            let frame = self.body.frame().await?.ok()?;
            self.text.extend_from_slice(&frame.into_data().unwrap());
        }
    }
}
