//! The list of the files in an artifact.

use std::io::{self, Read};

use http::Response;
use s3s::Body;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::refused::Refused;
use crate::page::reply::json_value;
use crate::providers::archive::{ArchiveKind, ArchiveProblem, Choice, Visitor, visit};
use crate::s3::Store;
use crate::types::ObjectRef;

/// The most files that a list has.
const MOST: usize = 10_000;

/// Lists an artifact. Of a broken archive, the list has the files before the problem, and the problem.
pub(super) async fn answer(store: Store, place: ObjectRef) -> Result<Response<Body>, Refused> {
    // The thread ends early when this future is dropped.
    let (done, is_done) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let waiting = Waiting(done);
        let found = list(&store, &place, &waiting);
        // The client may be gone.
        let _ = waiting.0.send(found);
    });
    let stopped = || Refused::from(ArchiveProblem::Stopped);
    is_done.await.unwrap_or_else(|_| Err(stopped())).map(|list| json_value(&list))
}

type Found = Result<Value, Refused>;

/// The client that waits for a list.
struct Waiting(oneshot::Sender<Found>);

fn list(store: &Store, place: &ObjectRef, waiting: &Waiting) -> Found {
    let (file, bytes) = store.open_file(place)?;
    let kind = ArchiveKind::of(&file)?;
    let mut listing = Listing { entries: Vec::new(), left_out: 0, waiting };
    let problem = visit(file, kind, &mut listing).err().map(|problem| problem.to_string());
    let mut list = json!({
        "bucket": place.bucket, "key": place.key, "bytes": bytes, "kind": kind.name(),
        "entries": listing.entries, "left_out": listing.left_out,
    });
    if let Some(problem) = problem {
        list["problem"] = problem.into();
    }
    Ok(list)
}

struct Listing<'a> {
    entries: Vec<Value>,
    left_out: u64,
    waiting: &'a Waiting,
}

impl Visitor for Listing<'_> {
    fn file(&mut self, name: &str, bytes: u64) -> Choice {
        if self.entries.len() < MOST {
            self.entries.push(json!({"name": name, "bytes": bytes}));
        } else {
            self.left_out += 1;
        }
        if self.has_gone() { Choice::End } else { Choice::Next }
    }

    fn content(&mut self, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }

    fn has_gone(&self) -> bool {
        self.waiting.0.is_closed()
    }
}
