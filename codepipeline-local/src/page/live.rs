//! A view as server-sent events (HTML Standard, "Server-sent events").
//!
//! The stream computes its next event when the connection can take it. So a slow client makes no queue grow, and a client that has gone
//! ends its stream.

use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::Body;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::differences::Sent;
use super::mode::PageMode;
use super::reply::content;
use super::site::Page;
use super::view::View;
use super::views::{self, LogPosition};

/// The least time between two looks at the engine.
const PAUSE: Duration = Duration::from_millis(200);
/// The time between two looks, in times of the last look's duration. So a stream of a long list takes at most a tenth of a core.
const REST: u32 = 9;
/// The most time without a line, so that both sides notice a dead connection.
const BEAT: Duration = Duration::from_secs(15);

/// The events of a view. A client with the token gets what only buttons need.
pub(super) fn events(page: &Arc<Page>, view: View, can_act: bool) -> Response<Body> {
    let now = Instant::now();
    let live = Live {
        page: Arc::downgrade(page),
        changes: page.engine.changes(),
        added: page.logs.added(),
        closing: page.closing.subscribe(),
        view,
        can_act,
        sent: Sent::default(),
        is_missing: false,
        log: LogPosition::default(),
        next_look: now,
        beat: now + BEAT,
        has_begun: false,
        has_ended: false,
    };
    let texts = stream::unfold(live, async |mut live| {
        let text = live.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), live))
    });
    content("text/event-stream", Body::http_body_unsync(StreamBody::new(texts)))
}

struct Live {
    page: Weak<Page>,
    changes: watch::Receiver<u64>,
    /// The lines of all actions.
    added: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    view: View,
    can_act: bool,
    sent: Sent,
    /// Whether the client knows that the view is of nothing.
    is_missing: bool,
    log: LogPosition,
    /// The earliest time of the next look.
    next_look: Instant,
    /// When a line must follow.
    beat: Instant,
    has_begun: bool,
    has_ended: bool,
}

impl Live {
    /// The next text for the client. `None` once the emulator has ended.
    async fn next(&mut self) -> Option<String> {
        if !self.has_begun {
            self.has_begun = true;
            return Some("retry: 1000\n\n".to_owned() + &self.look()?);
        }
        let shows_log = matches!(self.view, View::Action { .. });
        while !self.has_ended {
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                added = self.added.changed(), if shows_log => added.ok()?,
                _ = self.closing.wait_for(|closing| *closing) => {}
                () = sleep_until(self.beat) => {
                    self.beat = Instant::now() + BEAT;
                    return Some(":\n\n".to_owned());
                }
            }
            tokio::select! {
                () = sleep_until(self.next_look) => {}
                _ = self.closing.wait_for(|closing| *closing) => self.has_ended = true,
            }
            let text = self.look()?;
            if !text.is_empty() {
                self.beat = Instant::now() + BEAT;
                return Some(text);
            }
        }
        None
    }

    /// Looks at the engine, and returns the events for what changed.
    fn look(&mut self) -> Option<String> {
        let page = self.page.upgrade()?;
        // A later change makes another look.
        self.changes.borrow_and_update();
        self.added.borrow_and_update();
        let begun = Instant::now();
        let mut text = String::new();
        match views::items(&page, &self.view, self.can_act) {
            Ok(items) => {
                self.is_missing = false;
                text.extend(self.sent.change(items).map(|data| event("items", &data)));
            }
            Err(message) => {
                self.sent.forget();
                if !std::mem::replace(&mut self.is_missing, true) {
                    text += &event("missing", &json!({"message": message}).to_string());
                }
            }
        }
        let lines = views::log_lines(&page.logs, &self.view, &mut self.log);
        text.extend(lines.map(|lines| event("log", &lines.to_string())));
        if self.has_ended && page.mode == PageMode::Run {
            text += &event("ended", "{}");
        }
        let now = Instant::now();
        self.next_look = (begun + PAUSE).max(now + (now - begun) * REST);
        Some(text)
    }
}

/// An event. JSON text has no line ends.
fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
