//! A connection that the server can reset, for faults that are more than an error response.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Controls the connection of a request. Every request has one in its extensions.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    resets: bool,
    flushes: u64,
    waiting: Option<Waker>,
    interim: Interim,
}

/// The state of a `100 Continue`.
#[derive(Default)]
enum Interim {
    /// Not requested, or sent.
    #[default]
    None,
    /// The bytes that are still to be sent.
    Due(&'static [u8]),
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the connection end with a reset instead of an orderly close.
    pub(crate) fn reset_at_its_end(&self) {
        self.lock().resets = true;
    }

    /// How often the connection was flushed.
    pub(crate) fn flushes(&self) -> u64 {
        self.lock().flushes
    }

    /// Sends `100 Continue` and returns when it is sent. Must come before any byte of the request's response.
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

/// A TCP connection that its [`Wire`] controls.
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
            // This fails if the connection is closed already.
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
        // A TCP stream has no buffer, and hyper flushes it after it has written everything. So the responses to earlier requests
        // are on the wire now.
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
