//! The HTTP client of the workers' SDKs: a request arrives, takes effect and is answered when the agenda has it so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
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
use crate::{lambda, lock};

/// How often each worker has asked each thing: a request's name must not depend on what else is asked.
pub(crate) type Ordinals = BTreeMap<(usize, String), u32>;

/// One worker process's way to the services.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
}

/// A request as the services see it.
pub(crate) struct Request {
    /// Which invocation sends it.
    pub(crate) invocation: usize,
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// The operation and what it is about.
    pub(crate) what: String,
}

/// What a client gets.
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

/// A [`Wire`] with the time that a client waits for an answer to begin, which the SDK leaves to its HTTP client.
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
                // Nobody is left to wait for an answer that never comes.
                let Ok(answer) = wire.send(request).await?.await else { return std::future::pending().await };
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
    /// Puts a request on its way and gives where its answer will come.
    async fn send(&self, request: HttpRequest) -> Result<oneshot::Receiver<Answer>, ConnectorError> {
        let method = request.method().to_owned();
        let path = path(request.uri()).to_owned();
        let headers =
            request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let body = request.into_body().collect().await.map_err(ConnectorError::user)?.to_bytes();
        let world = &self.world;
        let mut request = Request { invocation: 0, method, path, headers, body, what: String::new() };
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
        let name = format!("P{:03} {} #{ordinal}", self.process, request.what);
        let fate = Fate::draw(world, &name, &request);
        world.after(fate.there, name.clone(), move |world| arrive(world, &request, &name, fate, sender));
        Ok(receiver)
    }
}

fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// A request arrives, or doesn't.
fn arrive(world: &Arc<World>, request: &Request, name: &str, fate: Fate, sender: oneshot::Sender<Answer>) {
    let Fate { arrival, back, .. } = fate;
    let reply = match arrival {
        Arrival::Refused(reply) => Some(reply),
        Arrival::TakesEffect { cut } => {
            let reply = service::answer(world, request);
            let cut = cut && reply.status == 206;
            Some(if cut { reply.cut_short() } else { reply })
        }
        Arrival::Fails(reply) => {
            let _ = service::answer(world, request);
            Some(reply.telling("failed, with effect"))
        }
        Arrival::Never => None,
    };
    let told = match (&reply, fate.answered) {
        (None, _) => "does not arrive".to_owned(),
        (Some(reply), true) => reply.told(),
        (Some(reply), false) => format!("{}, but the answer gets lost", reply.told()),
    };
    world.trace.line(format_args!("{name} -> {told}"));
    if lambda::dies_after(world, request.invocation, request.is_about_a_job()) {
        return;
    }
    let answer = match (reply, fate.answered) {
        (Some(reply), true) => Answer::Reply(reply),
        _ if fate.silent => return,
        _ => Answer::Reset,
    };
    world.after(back, format!("{name} back"), move |_| {
        // Whoever asked may have given up.
        let _ = sender.send(answer);
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
