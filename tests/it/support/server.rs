//! An HTTP server on its own port. The test makes the responses.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request, as far as AWS's protocols need it.
pub(crate) struct Request {
    /// The header `X-Amz-Target`, or nothing.
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
}

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Answers requests until it is dropped.
pub(crate) struct Server {
    endpoint: String,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Sends what `answer` returns. After `None` the request stays unanswered.
    pub(crate) async fn start(answer: impl Fn(Request) -> Option<Response> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(request) = request(&mut stream).await {
                        let Some(response) = answer(request) else { return std::future::pending().await };
                        respond(&mut stream, &response).await;
                    }
                });
            }
        });
        Self { endpoint, accepting }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The next request of a connection, or `None` after the client has closed it.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut target, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => target = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { target, body })
}

async fn respond(stream: &mut BufReader<TcpStream>, response: &Response) {
    let Response { status, content_type, body } = response;
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    // The client may have closed the connection.
    let _ = stream.write_all((head + body).as_bytes()).await;
}
