//! Unpacks a large entry as a stream. One thread inflates and checks, while another writes.

use std::io::{self, Read};
use std::sync::mpsc::sync_channel;

use super::super::super::error::Problem;
use super::super::super::jail::FileWriter;
use super::super::super::processors;

/// The size of a piece on its way between the threads.
const PIECE_BYTES: usize = 128 * 1024;
/// The pieces on their way: 512 KiB.
const PIECES: usize = 4;

/// Copies `content` to the file. The problem is that of the first byte that can't be read or written.
pub(super) fn copy(
    content: &mut dyn Read,
    file: &mut FileWriter<'_, '_>,
    unreadable: impl Fn(&io::Error) -> Problem,
) -> Result<(), Problem> {
    if processors() == 1 {
        return file.copy(content, unreadable).map(|_| ());
    }
    let (full, to_write) = sync_channel::<(Vec<u8>, usize)>(PIECES);
    let (written, spare) = sync_channel::<Vec<u8>>(PIECES);
    for _ in 0..PIECES {
        // There is room for all of them.
        let _ = written.try_send(vec![0; PIECE_BYTES]);
    }
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for (piece, count) in to_write {
                file.append(&piece[..count])?;
                // The reader may have ended.
                let _ = written.send(piece);
            }
            Ok(())
        });
        let read = loop {
            // Fails if the writer has ended, whose problem then counts.
            let Ok(mut piece) = spare.recv() else { break Ok(()) };
            let (count, end) = fill(content, &mut piece);
            let sent = full.send((piece, count));
            match end {
                Some(Ok(())) => break Ok(()),
                Some(Err(error)) => break Err(Problem::inside(&error, &unreadable)),
                None if sent.is_err() => break Ok(()),
                None => {}
            }
        };
        drop(full);
        writing.join().unwrap_or(Err(Problem::Interrupted)).and(read)
    })
}

/// Fills a piece as far as possible. Returns how many bytes it has, and how the content ended if it did.
fn fill(from: &mut dyn Read, piece: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut count = 0;
    while count < piece.len() {
        match from.read(&mut piece[count..]) {
            Ok(0) => return (count, Some(Ok(()))),
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (count, Some(Err(error))),
        }
    }
    (count, None)
}
