//! Downloads of an artifact, or of one file in it. A thread reads, and the connection takes the bytes from it one piece at a time.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::Body;
use tokio::sync::{mpsc, oneshot};

use super::disposition::{attachment, last_step};
use super::refused::Refused;
use crate::page::reply::content;
use crate::providers::archive::{ArchiveKind, ArchiveProblem, Choice, Visitor, visit};
use crate::s3::Store;
use crate::types::ObjectRef;

/// The bytes of a piece.
const PIECE: usize = 64 * 1024;
/// The pieces that may wait for the connection.
const WAITING: usize = 2;

/// All bytes of the artifact.
pub(super) async fn whole(store: Store, place: ObjectRef, name: String) -> Result<Response<Body>, Refused> {
    let (begun, mut sink, pieces) = channel();
    tokio::task::spawn_blocking(move || {
        let open = || -> Result<_, Refused> {
            let (mut file, bytes) = store.open_file(&place)?;
            let kind = ArchiveKind::of(&file)?;
            io::Seek::rewind(&mut file)?;
            Ok((file, bytes, kind))
        };
        match open() {
            Err(refused) => sink.refuse(refused),
            Ok((mut file, bytes, kind)) => {
                let ending = if kind == ArchiveKind::File { String::new() } else { format!(".{}", kind.name()) };
                sink.send(Begin { name: format!("{name}{ending}"), bytes: Some(bytes) }, &mut file);
            }
        }
    });
    reply(begun, pieces).await
}

/// One file of the archive, by its name as the list shows it. The first of several with the name.
pub(super) async fn entry(store: Store, place: ObjectRef, wanted: String) -> Result<Response<Body>, Refused> {
    let (begun, sink, pieces) = channel();
    tokio::task::spawn_blocking(move || {
        let mut finder = Finder { wanted, sink };
        let find = |finder: &mut Finder| -> Result<(), Refused> {
            let (file, _) = store.open_file(&place)?;
            let kind = ArchiveKind::of(&file)?;
            visit(file, kind, finder).map_err(Refused::from)
        };
        // After the file was found, its reader's error is in the bytes.
        let missing = || Refused { status: StatusCode::NOT_FOUND, message: "The artifact has no such file".to_owned() };
        let refused = find(&mut finder).err().unwrap_or_else(missing);
        finder.sink.refuse(refused);
    });
    reply(begun, pieces).await
}

/// The begin of a download: the file's name, and its size if it is sure.
struct Begin {
    name: String,
    bytes: Option<u64>,
}

type Begun = oneshot::Receiver<Result<Begin, Refused>>;

/// Where a thread puts a download.
struct Sink {
    begin: Option<oneshot::Sender<Result<Begin, Refused>>>,
    pieces: mpsc::Sender<io::Result<Bytes>>,
}

fn channel() -> (Begun, Sink, mpsc::Receiver<io::Result<Bytes>>) {
    let (begin, begun) = oneshot::channel();
    let (sender, pieces) = mpsc::channel(WAITING);
    (begun, Sink { begin: Some(begin), pieces: sender }, pieces)
}

impl Sink {
    /// Refuses the download, unless it has begun.
    fn refuse(&mut self, refused: Refused) {
        self.begin_with(Err(refused));
    }

    /// Sends all bytes of a reader. An error in the first piece refuses the download. A later one ends it, so that the client sees that
    /// bytes are missing.
    fn send(&mut self, begin: Begin, from: &mut dyn Read) {
        let mut next = match piece(from) {
            Ok(first) => first,
            Err(error) => return self.refuse(Refused { status: StatusCode::BAD_REQUEST, message: broken(&error) }),
        };
        self.begin_with(Ok(begin));
        while !next.is_empty() {
            // The client may be gone.
            if self.pieces.blocking_send(Ok(next)).is_err() {
                return;
            }
            next = match piece(from) {
                Ok(piece) => piece,
                Err(error) => return drop(self.pieces.blocking_send(Err(error))),
            };
        }
    }

    fn begin_with(&mut self, begin: Result<Begin, Refused>) {
        if let Some(sender) = self.begin.take() {
            // The client may be gone.
            let _ = sender.send(begin);
        }
    }
}

/// The next bytes; none at the end.
fn piece(from: &mut dyn Read) -> io::Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    from.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}

fn broken(error: &io::Error) -> String {
    format!("Could not read the file: {error}")
}

/// The visitor that looks for one file.
struct Finder {
    wanted: String,
    sink: Sink,
}

impl Visitor for Finder {
    fn file(&mut self, name: &str, _: u64) -> Choice {
        match (name == self.wanted, self.has_gone()) {
            (true, _) => Choice::Read,
            (false, true) => Choice::End,
            (false, false) => Choice::Next,
        }
    }

    fn content(&mut self, content: &mut dyn Read) -> io::Result<()> {
        // The archive only claims a size.
        self.sink.send(Begin { name: last_step(&self.wanted).to_owned(), bytes: None }, content);
        Ok(())
    }

    fn has_gone(&self) -> bool {
        self.sink.pieces.is_closed()
    }
}

async fn reply(begun: Begun, pieces: mpsc::Receiver<io::Result<Bytes>>) -> Result<Response<Body>, Refused> {
    let begin = begun.await.unwrap_or_else(|_| Err(ArchiveProblem::Stopped.into()))?;
    let frames = stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?.map(Frame::data), pieces)));
    let mut reply = content("application/octet-stream", Body::http_body_unsync(StreamBody::new(frames)));
    reply.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&begin.name));
    if let Some(bytes) = begin.bytes {
        reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    Ok(reply)
}
