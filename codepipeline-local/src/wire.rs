//! A connection that the server can break off: a fault is more than an answer with an error in it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What whoever answers a request may do to its connection. Every request has one among its extensions.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    resets: bool,
    flushes: u64,
    waiting: Option<Waker>,
    interim: Interim,
}

/// What has become of a `100 Continue`.
#[derive(Default)]
enum Interim {
    /// Nobody asked for it, or it is sent.
    #[default]
    None,
    /// What is still to be sent of it.
    Due(&'static [u8]),
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the connection end with a reset and not with an orderly close, whenever it ends.
    pub(crate) fn reset_at_its_end(&self) {
        self.lock().resets = true;
    }

    /// How often all that was to be written had been written.
    pub(crate) fn flushes(&self) -> u64 {
        self.lock().flushes
    }

    /// Sends `100 Continue`, and returns when it is sent. Nothing of the request's own answer may have been written before.
    pub(crate) async fn send_continue(&self) {
        self.lock().interim = Interim::Due(b"HTTP/1.1 100 Continue\r\n\r\n");
        std::future::poll_fn(|cx| match self.lock() {
            state if matches!(state.interim, Interim::None) => Poll::Ready(()),
            mut state => {
                state.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    /// Wakes the task at the next flush.
    pub(crate) fn wake_at_flush(&self, cx: &Context<'_>) {
        self.lock().waiting = Some(cx.waker().clone());
    }
}

/// A TCP connection that does what its [`Wire`] is told.
pub(crate) struct Stream {
    inner: TcpStream,
    wire: Wire,
}

impl Stream {
    pub(crate) fn new(inner: TcpStream, wire: Wire) -> Self {
        Self { inner, wire }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.wire.lock().resets {
            // It fails on a connection that is gone already.
            let _ = self.inner.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP stream keeps nothing back, and hyper flushes it when it has written all that it has: the answers to earlier
        // requests are on the wire now.
        let wire = self.wire.clone();
        let mut state = wire.lock();
        state.flushes += 1;
        while let Interim::Due(bytes) = state.interim {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
            state.interim = match &bytes[written..] {
                [] => Interim::None,
                rest => Interim::Due(rest),
            };
        }
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
        drop(state);
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
