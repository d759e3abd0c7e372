//! Redacts the pieces of a command's output and logs their lines, while that is wanted.

use std::sync::Weak;
use std::sync::mpsc::Receiver;

use memchr::memchr_iter;

use super::Stream;
use super::lines::take_lines;
use super::log::Piece;
use crate::redact::{RedactedStream, Redactor};

/// The most lines and bytes of one event. `telemetry` writes an event at once, and a write can't be stopped.
const EVENT_LINES: usize = 128;
const EVENT_BYTES: usize = 64 * 1024;

/// Logs `pieces` until their end. Once `wanted` is gone, it logs nothing more but how much it left out.
pub(super) fn write(redactor: &Redactor, pieces: &Receiver<Piece>, wanted: Weak<()>) {
    let mut events = Events { wanted, left_out: 0 };
    let mut writers = Stream::ALL.map(|stream| Writer::new(stream, RedactedStream::new(redactor)));
    let mut is_cut = false;
    for piece in pieces {
        if !events.are_wanted() {
            events.left_out += piece.bytes();
            continue;
        }
        match piece {
            Piece::Output(stream, bytes, _room) => writers[stream as usize].push(&bytes, &mut events),
            Piece::Gap { missing, after_beginning, end } => {
                writers.into_iter().for_each(|writer| writer.cut(&mut events));
                events.log_gap(missing, after_beginning);
                writers = Stream::ALL.map(|stream| Writer::new(stream, end.stream(stream, redactor)));
                end.shown.iter().for_each(|(stream, bytes)| writers[*stream as usize].push(bytes, &mut events));
            }
            Piece::Cut => is_cut = true,
        }
    }
    let end = if is_cut { Writer::cut } else { Writer::finish };
    writers.into_iter().for_each(|writer| end(writer, &mut events));
    if events.left_out > 0 {
        tracing::warn!(
            bytes = events.left_out,
            "left out the rest of the command's output, because the log was too slow"
        );
    }
}

impl Piece {
    /// How much output it stands for.
    fn bytes(&self) -> u64 {
        match self {
            Self::Output(_, bytes, _) => bytes.len() as u64,
            Self::Gap { missing, end, .. } => {
                missing + end.shown.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            }
            Self::Cut => 0,
        }
    }
}

/// Logs lines, or counts them if they are no longer wanted.
struct Events {
    wanted: Weak<()>,
    left_out: u64,
}

impl Events {
    fn are_wanted(&self) -> bool {
        self.wanted.strong_count() > 0
    }

    /// Logs many lines in one event. `telemetry` writes one JSON object for each line.
    fn log(&mut self, stream: Stream, mut text: &str) {
        while !text.is_empty() {
            let (lines, rest) = text.split_at(event_length(text));
            text = rest;
            if self.are_wanted() {
                let lines = lines.strip_suffix('\n').unwrap_or(lines);
                tracing::info!(stream = stream.name(), "{lines}");
            } else {
                self.left_out += lines.len() as u64;
            }
        }
    }

    fn log_gap(&mut self, missing: u64, after_beginning: bool) {
        if !self.are_wanted() {
            self.left_out += missing;
        } else if after_beginning {
            tracing::info!(
                bytes = missing,
                "left out the middle of the command's output; the log has its beginning and its last 64 KiB"
            );
        } else {
            tracing::info!(
                bytes = missing,
                "left out the beginning of the command's output; the log has its last 64 KiB"
            );
        }
    }
}

/// The length of the first lines of `text` that make one event. A line is shorter than an event.
fn event_length(text: &str) -> usize {
    let ends = memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).take(EVENT_LINES);
    ends.take_while(|end| *end <= EVENT_BYTES).last().unwrap_or(text.len())
}

/// Logs the lines of one stream.
struct Writer<'r> {
    stream: Stream,
    redacted: RedactedStream<'r>,
    /// Redacted text whose line has not ended.
    text: String,
}

impl<'r> Writer<'r> {
    fn new(stream: Stream, redacted: RedactedStream<'r>) -> Self {
        Self { stream, redacted, text: String::new() }
    }

    fn push(&mut self, bytes: &[u8], events: &mut Events) {
        self.redacted.push(bytes, &mut self.text);
        events.log(self.stream, &take_lines(&mut self.text));
    }

    fn finish(mut self, events: &mut Events) {
        self.redacted.finish(&mut self.text);
        log_last(self.stream, self.text, events);
    }

    fn cut(mut self, events: &mut Events) {
        self.redacted.cut(&mut self.text);
        log_last(self.stream, self.text, events);
    }
}

fn log_last(stream: Stream, mut text: String, events: &mut Events) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    events.log(stream, &take_lines(&mut text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_limited_in_lines_and_bytes() {
        for (text, expected) in [
            ("one\ntwo\n".to_owned(), 8),
            ("x\n".repeat(EVENT_LINES + 1), 2 * EVENT_LINES),
            (("x".repeat(16 * 1024) + "\n").repeat(9), 3 * (16 * 1024 + 1)),
        ] {
            assert_eq!(event_length(&text), expected);
        }
    }
}
