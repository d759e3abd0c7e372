//! A service that answers as it is told, one request after another, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    /// With this status, these headers and this body.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The connection is closed at once.
    HangUp,
    /// Half of the promised body comes, then the connection is closed.
    Half,
    /// Nothing comes, ever.
    Silence,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Http(status, Vec::new(), body.as_bytes().to_vec())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(status, "")
    }

    pub(crate) fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        let Self::Http(status, mut headers, body) = self else { panic!("this answer has no headers") };
        headers.push((name, value.into()));
        Self::Http(status, headers, body)
    }

    /// 202 with `Location`.
    pub(crate) fn accepted(location: &str) -> Self {
        Self::status(202).header("Location", location)
    }
}

/// A request as it came in.
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
    answers: VecDeque<Answer>,
    requests: Vec<Request>,
    /// Connections that are kept open and never answered.
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
    /// Serves these answers, in this order; after the last one it hangs up.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), ..State::default() }));
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

    pub(crate) fn answer_next_with(&self, answer: Answer) {
        lock(&self.state).answers.push_back(answer);
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let Some(request) = read(&mut connection).await else { continue };
        let answer = {
            let mut state = lock(&state);
            state.requests.push(request);
            state.answers.pop_front()
        };
        match answer {
            Some(Answer::Http(status, headers, body)) => {
                let mut head = format!("HTTP/1.1 {status} As Told\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str("Connection: close\r\n\r\n");
                // A client that has read enough may be gone already.
                let _ = connection.write_all(head.as_bytes()).await;
                let _ = connection.write_all(&body).await;
            }
            Some(Answer::Half) => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"summary\":").await.unwrap();
            }
            Some(Answer::Silence) => lock(&state).silent.push(connection),
            Some(Answer::HangUp) | None => {}
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
