//! A service that sends given responses in order, and records the requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The response to a request.
#[derive(Clone)]
pub(crate) enum Response {
    /// The status, the headers and the body.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The service closes the connection at once.
    HangUp,
    /// The service closes the connection after half of the body.
    Half,
    /// The service never responds.
    Silence,
}

impl Response {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Http(status, Vec::new(), body.as_bytes().to_vec())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(status, "")
    }

    pub(crate) fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        let Self::Http(status, mut headers, body) = self else { panic!("this response has no headers") };
        headers.push((name, value.into()));
        Self::Http(status, headers, body)
    }

    /// 202 with `Location`.
    pub(crate) fn accepted(location: &str) -> Self {
        Self::status(202).header("Location", location)
    }
}

/// A request that the service got.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("there is no header {name}"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    responses: VecDeque<Response>,
    requests: Vec<Request>,
    /// Open connections that get no response.
    silent: Vec<TcpStream>,
}

pub(crate) struct Service {
    origin: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// Sends these responses in order, and then hangs up on each request.
    pub(crate) async fn answering(responses: impl IntoIterator<Item = Response>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { responses: responses.into_iter().collect(), ..State::default() }));
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { origin, state, task }
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.state).requests.clone()
    }

    pub(crate) fn respond_next_with(&self, response: Response) {
        lock(&self.state).responses.push_back(response);
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let Some(request) = read(&mut connection).await else { continue };
        let response = {
            let mut state = lock(&state);
            state.requests.push(request);
            state.responses.pop_front()
        };
        match response {
            Some(Response::Http(status, headers, body)) => {
                let mut head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str("Connection: close\r\n\r\n");
                // The client may have disconnected already.
                let _ = connection.write_all(head.as_bytes()).await;
                let _ = connection.write_all(&body).await;
            }
            Some(Response::Half) => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"summary\":").await.unwrap();
            }
            Some(Response::Silence) => lock(&state).silent.push(connection),
            Some(Response::HangUp) | None => {}
        }
    }
}

/// A request with its `Content-Length` bytes of body; `None` if the client hangs up before its end.
async fn read(connection: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: BTreeMap<_, _> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length: usize = headers["content-length"].parse().unwrap();
        while bytes.len() < end + 4 + length {
            if connection.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
        return Some(Request { line, headers, body });
    }
}
