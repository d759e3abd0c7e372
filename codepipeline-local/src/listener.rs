//! Serves HTTP/1.1 on a port.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::{Stream, Wire};

/// A free port for clients of this machine.
pub(crate) const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long a request in progress may take after the listener was told to stop.
const GRACE: Duration = Duration::from_millis(500);

/// Listens on a port until it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    /// Dropping it stops the listener.
    stopping: Option<watch::Sender<()>>,
    accepting: JoinHandle<()>,
}

/// A port whose clients wait for [`Bound::serve`].
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds an address; the port 0 picks a free one.
    pub(crate) async fn to(wanted: SocketAddr) -> io::Result<Self> {
        let bound = TcpListener::bind(wanted).await;
        let listener = bound.map_err(|error| unavailable(wanted, &error))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers every request with `answer`. If `answer` fails, the connection is closed, or reset if its [`Wire`] says so.
    pub(crate) fn serve<A, F, B, E>(self, answer: A) -> Listener
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let Self { listener, address } = self;
        let (stopping, mut stopped) = watch::channel(());
        let accepting = tokio::spawn(async move {
            // This set ends the connections when the task is dropped.
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopped.changed() => break,
                };
                // An error concerns one failed connection, or a temporary lack of file descriptors.
                let Ok((stream, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                // Without this, a response's last packet waits for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                // No timer, so an idle connection stays open. Otherwise a client without retries would sometimes fail.
                let (answer, wire) = (answer.clone(), Wire::default());
                let stream = Stream::new(stream, wire.clone());
                let service = service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(wire.clone());
                    answer(request)
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let mut stopped = stopped.clone();
                connections.spawn(async move {
                    let mut connection = pin!(connection);
                    tokio::select! {
                        _ = &mut connection => return,
                        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
                    }
                    let _ = connection.await;
                });
                while connections.try_join_next().is_some() {}
            }
            drop(listener);
            // The call that ends a run gets its answer.
            let answered = async { while connections.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(GRACE, answered).await;
            connections.shutdown().await;
        });
        Listener { address, stopping: Some(stopping), accepting }
    }
}

impl Listener {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and all connections, and waits until both are closed. Requests in progress get half a second.
    pub(crate) async fn stop(&mut self) {
        // Dropping the sender is the signal.
        self.stopping = None;
        // An error means that the task panicked, so it ended, too.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn unavailable(wanted: SocketAddr, error: &dyn Display) -> io::Error {
    // io::Error would not name the address.
    let advice = match wanted.ip().is_loopback() {
        true => "choose another port, or 0 for a free one",
        false => "choose another port, or 0 for a free one; the host must be an address of this machine",
    };
    io::Error::other(format!("could not listen on {wanted}: {error}; {advice}"))
}
