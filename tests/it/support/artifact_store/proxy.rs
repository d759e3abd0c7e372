//! A proxy in front of the emulator that records requests, and fails some of them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A request, as the proxy received it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) encryption: Option<String>,
    pub(crate) kms_key: Option<String>,
}

/// A response in place of the emulator's.
#[derive(Clone, Copy)]
pub(crate) struct Instead {
    /// Whether the emulator receives the request anyway.
    pub(crate) after_effect: bool,
    pub(crate) status: u16,
    /// The code of the error in its body.
    pub(crate) code: &'static str,
}

/// The faults. By default there are no faults.
#[derive(Default)]
pub(crate) struct Faults {
    /// How many of the next downloads end in the middle of their body.
    pub(crate) breaks: AtomicUsize,
    /// How many of the next requests get a 503.
    pub(crate) refusals: AtomicUsize,
    /// Downloads that don't begin at the first byte wait.
    pub(crate) hold: tokio::sync::watch::Sender<bool>,
    /// The responses to the next parts, and to the next requests that complete or abort an upload.
    pub(crate) parts: Mutex<VecDeque<Instead>>,
    pub(crate) completions: Mutex<VecDeque<Instead>>,
    pub(crate) aborts: Mutex<VecDeque<Instead>>,
    /// Parts stay unanswered.
    pub(crate) parts_hang: AtomicUsize,
    /// Requests that begin a multipart upload stay unanswered.
    pub(crate) begins_hang: AtomicUsize,
    /// Requests that abort a multipart upload stay unanswered.
    pub(crate) aborts_hang: AtomicUsize,
}

/// Serves every connection, each in a task that ends with this one.
pub(super) async fn serve(listener: TcpListener, behind: SocketAddr, faults: Arc<Faults>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let (faults, seen) = (Arc::clone(&faults), Arc::clone(&seen));
        let service = service_fn(move |request| answer(behind, Arc::clone(&faults), Arc::clone(&seen), request));
        let server = hyper::server::conn::http1::Builder::new();
        connections.spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    behind: SocketAddr,
    faults: Arc<Faults>,
    seen: Arc<Mutex<Vec<Seen>>>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let path_and_query = request.uri().path_and_query().unwrap().to_string();
    let instead = if path_and_query.contains("partNumber=") {
        faults.parts.lock().unwrap().pop_front()
    } else if request.method() == Method::POST && path_and_query.contains("uploadId=") {
        faults.completions.lock().unwrap().pop_front()
    } else if request.method() == Method::DELETE {
        faults.aborts.lock().unwrap().pop_front()
    } else {
        None
    };
    let hang = if path_and_query.contains("partNumber=") {
        Some(&faults.parts_hang)
    } else if request.method() == Method::DELETE {
        Some(&faults.aborts_hang)
    } else if path_and_query.contains("uploads") {
        Some(&faults.begins_hang)
    } else {
        None
    };
    let method = request.method().clone();
    seen.lock().unwrap().push(Seen {
        method: method.clone(),
        path_and_query,
        encryption: header("x-amz-server-side-encryption"),
        kms_key: header("x-amz-server-side-encryption-aws-kms-key-id"),
    });
    if one_less(&faults.refusals) {
        let mut refusal = Response::new(ResponseBody::Made(Full::default()));
        *refusal.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return Ok(refusal);
    }
    if let Some(Instead { after_effect, status, code }) = instead {
        // A client that gets the response before it has sent everything stops sending. That would be another failure.
        let whole = if after_effect {
            forward(behind, request).await.into_body().collect().await
        } else {
            request.into_body().collect().await
        };
        whole.unwrap();
        let error = format!("<Error><Code>{code}</Code><Message>On purpose</Message></Error>");
        let mut response = Response::new(ResponseBody::Made(error.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        return Ok(response);
    }
    if hang.is_some_and(|hang| hang.load(Ordering::SeqCst) > 0) {
        std::future::pending::<()>().await;
    }
    if header("range").is_some_and(|range| !range.starts_with("bytes=0-")) {
        let _ = faults.hold.subscribe().wait_for(|hold| !hold).await;
    }
    let until = (method == Method::GET && one_less(&faults.breaks)).then_some(1000);
    Ok(forward(behind, request).await.map(|body| ResponseBody::Passed { body, until }))
}

/// The unchanged request. The signature covers its host.
async fn forward(to: SocketAddr, request: Request<Incoming>) -> Response<Incoming> {
    let stream = tokio::net::TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

fn one_less(counter: &AtomicUsize) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Returns the emulator's response, the first half of it before the connection closes, or another response.
enum ResponseBody {
    Passed { body: Incoming, until: Option<usize> },
    Made(Full<Bytes>),
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let (body, until) = match self.get_mut() {
            Self::Made(body) => return Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Passed { body, until } => (body, until),
        };
        match until {
            Some(0) => return Poll::Ready(Some(Err("closed on purpose".into()))),
            // The server sends what it has before the error makes it drop the rest.
            Some(1) => {
                *until = Some(0);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        let frame = ready!(Pin::new(body).poll_frame(cx));
        Poll::Ready(match (frame, *until) {
            (Some(Ok(frame)), Some(most)) => {
                *until = Some(1);
                Some(Ok(frame.map_data(|bytes| bytes.slice(..bytes.len().min(most)))))
            }
            (frame, _) => frame.map(|frame| frame.map_err(Into::into)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed { body, .. } => body.is_end_stream(),
            Self::Made(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed { body, .. } => body.size_hint(),
            Self::Made(body) => body.size_hint(),
        }
    }
}
