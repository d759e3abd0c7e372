//! Serving HTTP/1.1 on a loopback port.

use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::{Stream, Wire};

/// A port that is listened on until this is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    stopping: Option<oneshot::Sender<()>>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Listens on a loopback port, 0 for any that is free, and answers every request with `answer`. A request for which that
    /// fails has its connection closed, or reset if its [`Wire`] says so.
    pub(crate) async fn start<A, F, B, E>(port: u16, answer: A) -> io::Result<Self>
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = bound.map_err(|error| unavailable(port, &error))?;
        let address = listener.local_addr()?;
        let (stopping, mut stopped) = oneshot::channel();
        let accepting = tokio::spawn(async move {
            // Dropped with this task, the set ends the connections too.
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = &mut stopped => break connections.shutdown().await,
                };
                // An error is that of one connection that did not come about, or a shortage of files that passes.
                let Ok((stream, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                // Without this, an answer's last packet waits for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                // No timer, so an idle connection stays open: a client that doesn't retry would meet its end now and then.
                let (answer, wire) = (answer.clone(), Wire::default());
                let stream = Stream::new(stream, wire.clone());
                let service = service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(wire.clone());
                    answer(request)
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(connection);
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, stopping: Some(stopping), accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and all connections, and waits until nothing answers any more.
    pub(crate) async fn stop(&mut self) {
        // Dropping the sender is the signal.
        self.stopping = None;
        // It ended, or it panicked, which ended it as well.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn unavailable(port: u16, error: &dyn Display) -> io::Error {
    // io::Error would say "address in use" and not which.
    io::Error::other(format!(
        "can't listen on 127.0.0.1:{port}: {error}; choose another port, or 0 for any that is free"
    ))
}
