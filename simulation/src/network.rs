//! The HTTP client of the workers' SDKs. The agenda decides when a request arrives, takes effect and is answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cut::Cut;
use crate::fate::{Arrival, Fate};
use crate::service::{self, Reply};
use crate::world::World;
use crate::{lambda, lock, witness};

/// How often each worker has sent each request. A request's name must not depend on other requests.
pub(crate) type Ordinals = BTreeMap<(usize, String), u32>;

/// One worker process's way to the services.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
}

/// A request, as the services receive it.
pub(crate) struct Request {
    /// The invocation that sends the request.
    pub(crate) invocation: usize,
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// The operation and its subject.
    pub(crate) what: String,
    /// The request's unique name.
    pub(crate) name: String,
    /// Closed when the client stops waiting for the response.
    pub(crate) awaited: Weak<()>,
}

/// A response, as the client receives it.
enum Answer {
    Reply(Reply),
    Reset,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector { wire: self.clone(), patience: settings.read_timeout() })
    }
}

/// A [`Wire`] with the time that a client waits for the first byte. The SDK leaves that timeout to its HTTP client.
#[derive(Debug)]
struct Connector {
    wire: Wire,
    patience: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, patience) = (self.wire.clone(), self.patience);
        HttpConnectorFuture::new(async move {
            let answering = async {
                let waiting = Arc::new(());
                // The client no longer waits for a response that never comes.
                let Ok(answer) = wire.send(request, Arc::downgrade(&waiting)).await?.await else {
                    return std::future::pending().await;
                };
                match answer {
                    Answer::Reply(reply) => Ok(response(reply)),
                    Answer::Reset => Err(ConnectorError::io("connection reset".into())),
                }
            };
            match patience {
                None => answering.await,
                Some(patience) => timeout(patience, answering)
                    .await
                    .unwrap_or_else(|_| Err(ConnectorError::timeout("no answer in time".into()))),
            }
        })
    }
}

impl Wire {
    /// Sends a request, and returns the channel of its response.
    async fn send(&self, request: HttpRequest, awaited: Weak<()>) -> Result<oneshot::Receiver<Answer>, ConnectorError> {
        let method = request.method().to_owned();
        let path = path(request.uri()).to_owned();
        let headers =
            request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let body = request.into_body().collect().await.map_err(ConnectorError::user)?.to_bytes();
        let world = &self.world;
        let (what, name) = (String::new(), String::new());
        let mut request = Request { invocation: 0, method, path, headers, body, what, name, awaited };
        request.what = service::describe(&request);
        let sends = lambda::sends(world, self.process, request.is_about_a_job());
        let Some(invocation) = sends else { return std::future::pending().await };
        request.invocation = invocation;
        let (sender, receiver) = oneshot::channel();
        let ordinal = {
            let mut ordinals = lock(&world.ordinals);
            let ordinal = ordinals.entry((self.process, request.what.clone())).or_default();
            *ordinal += 1;
            *ordinal
        };
        request.name = format!("P{:03} {} #{ordinal}", self.process, request.what);
        let name = request.name.clone();
        let fate = Fate::draw(world, &name, &request);
        world.after(fate.there, name, move |world| arrive(world, request, fate, sender));
        Ok(receiver)
    }
}

fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// Lets a request arrive, or lose its way.
fn arrive(world: &Arc<World>, request: Request, fate: Fate, sender: oneshot::Sender<Answer>) {
    let Fate { arrival, back, .. } = fate;
    let is_well = fate.answered && matches!(arrival, Arrival::TakesEffect { cut: false });
    let reply = match arrival {
        Arrival::Refused(reply) => Some(reply),
        Arrival::TakesEffect { cut } => {
            let reply = service::answer(world, &request);
            let cut = cut && reply.status == 206;
            Some(if cut { reply.cut_short() } else { reply })
        }
        Arrival::Fails(reply) => {
            let _ = service::answer(world, &request);
            Some(reply.telling("failed, with effect"))
        }
        Arrival::Never => None,
    };
    let told = match (&reply, fate.answered) {
        (None, _) => "does not arrive".to_owned(),
        (Some(reply), true) => reply.told(),
        (Some(reply), false) => format!("{}, but the answer gets lost", reply.told()),
    };
    world.trace.line(format_args!("{} -> {told}", request.name));
    if !is_well {
        witness::answered(world, &request, false);
    }
    if lambda::dies_after(world, request.invocation, request.is_about_a_job()) {
        return;
    }
    let answer = match (reply, fate.answered) {
        (Some(reply), true) => Answer::Reply(reply),
        _ if fate.silent => return,
        _ => Answer::Reset,
    };
    world.after(back, format!("{} back", request.name), move |world| {
        // The client may have given up.
        let came = sender.send(answer).is_ok();
        witness::answered(world, &request, is_well && came);
    });
}

fn response(reply: Reply) -> HttpResponse {
    let length = reply.body.len();
    let body = if reply.cut { SdkBody::from_body_1_x(Cut::half(reply.body)) } else { SdkBody::from(reply.body) };
    let status = StatusCode::try_from(reply.status).unwrap_or_else(|_| StatusCode::from(http::StatusCode::NOT_FOUND));
    let mut response = HttpResponse::new(status, body);
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert("content-length", length.to_string());
    response
}
