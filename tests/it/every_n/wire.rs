//! The way of the worker's requests: one address for all services, which numbers the requests and fails one of them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Throttle,
    /// 500, without effect.
    Error,
    /// 500, with an effect.
    ErrorAfter,
    /// The connection is reset before the service receives the request.
    Reset,
    /// The request takes effect, and the connection is reset instead of a response.
    LoseAnswer,
    /// The service does not receive the request, and no response comes.
    Stall,
    /// The request takes effect, and no response comes.
    StallAnswer,
    /// The worker dies before the service receives the request.
    Die,
    /// The request takes effect, and the worker dies before the response arrives.
    DieAfter,
}

impl Kind {
    pub(crate) const ALL: [(&str, Self); 9] = [
        ("throttle", Self::Throttle),
        ("error", Self::Error),
        ("error-after", Self::ErrorAfter),
        ("reset", Self::Reset),
        ("lose-answer", Self::LoseAnswer),
        ("stall", Self::Stall),
        ("stall-answer", Self::StallAnswer),
        ("die", Self::Die),
        ("die-after", Self::DieAfter),
    ];

    fn reaches_the_service(self) -> bool {
        matches!(self, Self::ErrorAfter | Self::LoseAnswer | Self::StallAnswer | Self::DieAfter)
    }

    pub(crate) fn withholds_the_answer(self) -> bool {
        matches!(self, Self::Stall | Self::StallAnswer)
    }

    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::Die | Self::DieAfter)
    }
}

/// One request that passed.
#[derive(Clone)]
pub(crate) struct Passed {
    /// The operation; for S3, the method and the bucket.
    pub(crate) what: String,
    /// The job that the request names.
    pub(crate) job: Option<String>,
    /// The service's response, also if it did not arrive: status and JSON.
    pub(crate) answer: Option<(u16, Value)>,
}

impl Passed {
    pub(crate) fn succeeded(&self) -> bool {
        self.answer.as_ref().is_some_and(|(status, _)| *status == 200)
    }
}

/// The address of each service.
#[derive(Clone, Copy)]
pub(crate) struct Services {
    pub(crate) emulator: SocketAddr,
    pub(crate) step_functions: SocketAddr,
    pub(crate) secrets_manager: SocketAddr,
}

/// Called with every request, which waits for it.
pub(crate) type Watching = Box<dyn Fn(&str) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

pub(crate) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    services: Services,
    fault: Option<(usize, Kind)>,
    watching: Watching,
    struck: Notify,
    /// The number of requests that a service has not answered yet.
    unanswered: watch::Sender<usize>,
    passed: Mutex<Vec<Passed>>,
}

impl Wire {
    /// The number of the request that fails, from 1.
    pub(crate) async fn start(services: Services, fault: Option<(usize, Kind)>, watching: Watching) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (struck, unanswered) = (Notify::new(), watch::Sender::new(0));
        let shared = Arc::new(Shared { services, fault, watching, struck, unanswered, passed: Mutex::default() });
        let accepting = {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    // An error means that the client stopped, or that a service ended. It ends the connection.
                    tokio::spawn(async move { shared.serve(stream).await.ok() });
                }
            })
        };
        Self { address, shared, accepting }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns when the worker must die, if it must.
    pub(crate) async fn strikes_dead(&self) {
        match self.shared.fault {
            Some((_, kind)) if kind.kills() => self.shared.struck.notified().await,
            _ => std::future::pending().await,
        }
    }

    /// Waits until the services have answered all requests, also those of a worker that died.
    pub(crate) async fn settled(&self) {
        // This fails only without a sender.
        let _ = self.shared.unanswered.subscribe().wait_for(|number| *number == 0).await;
    }

    /// All requests so far, in order.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.shared.lock().clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A request, as it arrived.
struct Request {
    bytes: Vec<u8>,
    /// Where the body begins.
    body: usize,
    target: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Passed>> {
        self.passed.lock().unwrap()
    }

    /// Handles one request: every connection ends after its response.
    async fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut client).await? else { return Ok(()) };
        let unanswered = Unanswered::new(&self.unanswered);
        let what = request.what();
        (self.watching)(&what).await;
        let index = {
            let mut passed = self.lock();
            passed.push(Passed { what, job: request.job(), answer: None });
            passed.len() - 1
        };
        let fault = self.fault.filter(|(number, _)| *number == index + 1).map(|(_, kind)| kind);
        let mut answer = Vec::new();
        if fault.is_none_or(Kind::reaches_the_service) {
            answer = request.send(&self.services).await?;
            self.lock()[index].answer = Some(read_answer(&answer));
        }
        drop(unanswered);
        match fault {
            None => client.write_all(&answer).await,
            Some(Kind::Throttle) => client.write_all(&request.refusal(true)).await,
            Some(Kind::Error | Kind::ErrorAfter) => client.write_all(&request.refusal(false)).await,
            Some(Kind::Reset | Kind::LoseAnswer) => client.set_zero_linger(),
            Some(Kind::Stall | Kind::StallAnswer | Kind::Die | Kind::DieAfter) => {
                self.struck.notify_one();
                // Until the client closes the connection.
                client.read(&mut [0]).await.map(drop)
            }
        }
    }
}

/// One request that waits for its service.
struct Unanswered<'w>(&'w watch::Sender<usize>);

impl<'w> Unanswered<'w> {
    fn new(number: &'w watch::Sender<usize>) -> Self {
        number.send_modify(|number| *number += 1);
        Self(number)
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|number| *number -= 1);
    }
}

impl Request {
    /// Returns `None` if the connection ends before the request does. A worker that dies leaves such a part behind,
    /// and a service would wait for the rest.
    async fn read(client: &mut TcpStream) -> std::io::Result<Option<Self>> {
        let bytes = read_message(client).await?;
        let Some(body) = end_of_head(&bytes) else { return Ok(None) };
        let head = &bytes[..body];
        assert_eq!(header(head, "transfer-encoding"), None, "every request states its length");
        if bytes.len() < body + stated_length(head) {
            return Ok(None);
        }
        Ok(Some(Self { target: header(head, "x-amz-target"), bytes, body }))
    }

    fn what(&self) -> String {
        match &self.target {
            Some(target) => target.rsplit('.').next().unwrap().to_owned(),
            None => {
                let line: Vec<_> =
                    self.bytes.split(|byte| *byte == b' ').take(2).map(String::from_utf8_lossy).collect();
                let path = line[1].trim_start_matches('/').split('?').next().unwrap();
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                let query = line[1].split_once('?').map_or("", |(_, query)| query);
                let has = |name| query.split('&').any(|pair| pair.split('=').next() == Some(name));
                match (&*line[0], key) {
                    ("GET", "") => format!("list {bucket}"),
                    ("POST", _) if has("uploads") => format!("begin an upload to {bucket}"),
                    ("PUT", _) if has("uploadId") => format!("PUT a part to {bucket}"),
                    ("POST", _) if has("uploadId") => format!("complete an upload to {bucket}"),
                    ("DELETE", _) if has("uploadId") => format!("abort an upload to {bucket}"),
                    (method, _) => format!("{method} {bucket}"),
                }
            }
        }
    }

    fn job(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.bytes[self.body..]).ok()?;
        body["jobId"].as_str().map(str::to_owned)
    }

    fn service(&self, services: &Services) -> SocketAddr {
        match self.target.as_deref() {
            Some(target) if target.starts_with("AWSStepFunctions.") => services.step_functions,
            Some(target) if target.starts_with("secretsmanager.") => services.secrets_manager,
            _ => services.emulator,
        }
    }

    /// Sends the request to its service, and returns the response.
    async fn send(&self, services: &Services) -> std::io::Result<Vec<u8>> {
        let mut service = TcpStream::connect(self.service(services)).await?;
        service.write_all(&self.closing()).await?;
        read_message(&mut service).await
    }

    /// The request, on a connection that ends with its response. The signature does not cover this header.
    fn closing(&self) -> Vec<u8> {
        let (head, body) = self.bytes.split_at(self.body - 2);
        [head, b"Connection: close\r\n", body].concat()
    }

    /// The service's response when it throttles or fails.
    fn refusal(&self, throttled: bool) -> Vec<u8> {
        let (status, body) = match (&self.target, throttled) {
            (Some(_), true) => (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            (Some(_), false) => (500, r#"{"__type":"InternalFailure","message":"It failed"}"#),
            (None, true) => {
                (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
            }
            (None, false) => (500, "<Error><Code>InternalError</Code><Message>It failed</Message></Error>"),
        };
        let head = format!("HTTP/1.1 {status} Wrong\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        (head + body).into_bytes()
    }
}

/// Reads a head and the body whose length it states. Every request and response here states its length.
async fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut whole = None;
    while whole.is_none_or(|whole| bytes.len() < whole) {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
        if whole.is_none()
            && let Some(body) = end_of_head(&bytes)
        {
            whole = Some(body + stated_length(&bytes[..body]));
        }
    }
    Ok(bytes)
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4)
}

/// The length of the body, in bytes.
fn stated_length(head: &[u8]) -> usize {
    header(head, "content-length").map_or(0, |length| length.parse().unwrap())
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn read_answer(answer: &[u8]) -> (u16, Value) {
    let text = String::from_utf8_lossy(answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok());
    (status, body.unwrap_or_default())
}
