//! The end of a command's output.

use std::collections::VecDeque;

use super::output::{Ended, Stream};
use crate::redact::{RedactedStream, Redactor};

/// The bytes of output that are kept, of both streams together. CodePipeline shows at most 5000 characters of a failure (API model,
/// `Message`). Filling them takes more bytes, because masks are shorter than secrets and escape sequences are removed.
pub(super) const KEPT: usize = 64 * 1024;
/// The minimum that is kept before them, so that the rest of an escape sequence, such as a link's target, is not shown as text.
const MIN_MARGIN: usize = 4096;

/// Keeps the end of a command's output in bounded memory.
pub(super) struct Tail {
    streams: [Kept; 2],
    /// The order of reading: streams, and how many bytes came from them.
    order: VecDeque<(Stream, usize)>,
    /// The sum of these bytes.
    ordered: usize,
    /// The bytes of each stream that are kept before the shown part, for redaction. The redactor would not recognize a secret that the
    /// cut divides.
    margin: usize,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: bool,
}

/// The end of the output, in the order of reading.
pub(super) struct End {
    pub(super) shown: Vec<(Stream, Vec<u8>)>,
    /// The known text of each stream before that.
    before: [Kept; 2],
}

impl Tail {
    pub(super) fn new(redactor: &Redactor) -> Self {
        let margin = redactor.longest_form().max(MIN_MARGIN);
        Self { streams: Default::default(), order: VecDeque::new(), ordered: 0, margin }
    }

    pub(super) fn push(&mut self, stream: Stream, output: &[u8]) {
        self.streams[stream as usize].push(output, KEPT + self.margin);
        match self.order.back_mut() {
            Some((last, length)) if *last == stream => *length += output.len(),
            _ => self.order.push_back((stream, output.len())),
        }
        self.ordered += output.len();
        while let Some((_, first)) = self.order.front()
            && self.ordered - first >= KEPT
        {
            self.ordered -= first;
            self.order.pop_front();
        }
    }

    /// The last `length` bytes of the output, of at most [`KEPT`].
    pub(super) fn end(&self, length: usize) -> End {
        let mut surplus = self.ordered.saturating_sub(length.min(KEPT));
        let mut order = Vec::with_capacity(self.order.len());
        for &(stream, length) in &self.order {
            let dropped = surplus.min(length);
            surplus -= dropped;
            order.push((stream, length - dropped));
        }
        let mut at = Stream::ALL.map(|stream| {
            let shown: usize = order.iter().filter(|(of, _)| *of == stream).map(|(_, length)| length).sum();
            self.streams[stream as usize].bytes.len() - shown
        });
        let before = Stream::ALL.map(|stream| self.streams[stream as usize].before(at[stream as usize], self.margin));
        let shown = order.into_iter().map(|(stream, length)| {
            let from = at[stream as usize];
            at[stream as usize] += length;
            (stream, self.streams[stream as usize].bytes[from..from + length].to_vec())
        });
        End { shown: shown.collect(), before }
    }

    /// The end of the output as plain text, redacted. Begins with `…` if output was dropped. Returns `None` if there was no output.
    /// Leaves out the beginning of a secret if the command was killed.
    ///
    /// A line of one stream does not interrupt a line of the other: each appears where it has ended.
    pub(super) fn text(&self, redactor: &Redactor, ended: Ended) -> Option<String> {
        let end = self.end(KEPT);
        let mut streams = Stream::ALL.map(|stream| end.stream(stream, redactor));
        let mut lines = [String::new(), String::new()];
        let mut text = String::new();
        for (stream, bytes) in &end.shown {
            let line = &mut lines[*stream as usize];
            streams[*stream as usize].push(bytes, line);
            let ended = line.rfind('\n').map_or(0, |last| last + 1);
            text.extend(line.drain(..ended));
        }
        for (stream, mut line) in streams.into_iter().zip(lines) {
            match ended {
                Ended::Killed => stream.cut(&mut line),
                Ended::Succeeded | Ended::Failed => stream.finish(&mut line),
            }
            text.push_str(&line);
            if !line.is_empty() && !line.ends_with('\n') {
                text.push('\n');
            }
        }
        let text = text.trim();
        let shown = if end.is_all() { text.to_owned() } else { format!("…{text}") };
        Some(shown).filter(|shown| !shown.is_empty())
    }
}

impl Kept {
    fn push(&mut self, output: &[u8], most: usize) {
        let surplus = output.len().saturating_sub(most);
        let output = &output[surplus..];
        self.dropped |= surplus > 0;
        self.bytes.extend_from_slice(output);
        // Dropping at twice the size moves each byte at most once on average.
        if self.bytes.len() > 2 * most {
            self.bytes.drain(..self.bytes.len() - most);
            self.dropped = true;
        }
    }

    /// The last `most` bytes before the place `at`.
    fn before(&self, at: usize, most: usize) -> Self {
        let from = at.saturating_sub(most);
        Self { bytes: self.bytes[from..at].to_vec(), dropped: self.dropped || from > 0 }
    }
}

impl End {
    /// The stream, redacted as the text before it requires.
    pub(super) fn stream<'r>(&self, stream: Stream, redactor: &'r Redactor) -> RedactedStream<'r> {
        let Kept { bytes, dropped } = &self.before[stream as usize];
        let mut redacted = if *dropped { RedactedStream::after_cut(redactor) } else { RedactedStream::new(redactor) };
        redacted.push(bytes, &mut String::new());
        redacted.hide();
        redacted
    }

    /// Whether this is the whole output.
    fn is_all(&self) -> bool {
        self.before.iter().all(|before| before.bytes.is_empty() && !before.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(chunks: &[&[u8]], redactor: &Redactor) -> Option<String> {
        let mut tail = Tail::new(redactor);
        chunks.iter().for_each(|chunk| tail.push(Stream::Stdout, chunk));
        tail.text(redactor, Ended::Failed)
    }

    #[test]
    fn short_output_is_kept_whole() {
        let redactor = Redactor::new(["secret"]);
        assert_eq!(tail_of(&[b"one\n", b"a sec", b"ret\n"], &redactor).as_deref(), Some("one\na ****"));
        assert_eq!(tail_of(&[], &redactor), None);
        assert_eq!(tail_of(&[b"\n \n"], &redactor), None);
    }

    #[test]
    fn the_end_of_long_output_is_kept_in_bounded_memory() {
        let redactor = Redactor::default();
        let mut tail = Tail::new(&redactor);
        for _ in 0..1000 {
            for stream in Stream::ALL {
                tail.push(stream, &[b'x'; 4096]);
                assert!(tail.streams[stream as usize].bytes.capacity() <= 8 * KEPT && tail.order.len() < 40);
            }
        }
        tail.push(Stream::Stdout, &[b'x'; KEPT]);
        tail.push(Stream::Stdout, b"the end");
        let text = tail.text(&redactor, Ended::Failed).unwrap();
        assert!(text.starts_with("…xxx") && text.ends_with("xthe end"));
        assert_eq!(text.len(), "…".len() + KEPT);
    }

    #[test]
    fn both_streams_are_shown_line_by_line_in_order() {
        let redactor = Redactor::new(["secret"]);
        let mut tail = Tail::new(&redactor);
        for (stream, output) in [
            (Stream::Stdout, "one sec"),
            (Stream::Stderr, "two\nse"),
            (Stream::Stdout, "ret\nthree "),
            (Stream::Stderr, "cret\n"),
            (Stream::Stdout, "four"),
        ] {
            tail.push(stream, output.as_bytes());
        }
        assert_eq!(tail.text(&redactor, Ended::Failed).unwrap(), "two\none ****\n****\nthree four");
        let end = tail.end(9);
        assert_eq!(end.shown.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>(), [0, 0, 0, 5, 4]);
    }

    #[test]
    fn an_ellipsis_shows_that_output_was_dropped() {
        let redactor = Redactor::default();
        let text = tail_of(&[&[b'x'; 2 * (KEPT + MIN_MARGIN)], b"xxxthe end"], &redactor).unwrap();
        assert!(text.starts_with("…xxx") && text.ends_with("xthe end"));
    }

    #[test]
    fn a_secret_that_the_cut_divides_is_masked() {
        let secret = "correct-horse-battery";
        let redactor = Redactor::new([secret]);
        for after in KEPT - 30..KEPT + 30 {
            let filler = vec![b'.'; after];
            // In one piece, and after so much output that the buffer dropped some of it.
            for before in [1, 3 * KEPT] {
                let text = tail_of(&[&vec![b'.'; before], secret.as_bytes(), &filler], &redactor).unwrap();
                let readable = text.trim_matches(['.', '…', '*']);
                assert_eq!(readable, "", "with {after} bytes after it");
            }
        }
    }

    #[test]
    fn an_escape_sequence_that_the_cut_divides_is_removed() {
        let redactor = Redactor::new(["secret"]);
        let line = "\u{1b}[38;5;196mone\u{1b}[0m \u{1b}]8;;https://x.example/a\u{7}two\u{1b}]8;;\u{7} \u{1b}[1ms\u{1b}[2mecret\r\n";
        for more in 0..line.len() {
            let output = line.repeat(3 * KEPT / line.len()) + &"x".repeat(more);
            let text = tail_of(&[output.as_bytes()], &redactor).unwrap();
            let (_, lines) = text.split_once('\n').unwrap();
            assert!(
                lines.lines().all(|line| line == "one two ****" || line.trim_matches('x').is_empty()),
                "{more}: {text}"
            );
            let first = text.lines().next().unwrap().trim_start_matches('…');
            assert!("one two ****".ends_with(first), "{more}: {first}");
        }
    }

    #[test]
    fn a_coloured_secret_that_one_long_piece_divides_is_masked() {
        let secret: String = (0..200).map(|number| format!("{number:03}")).collect();
        let redactor = Redactor::new([&secret]);
        let coloured: String = secret.chars().map(|c| format!("\u{1b}[1;31;4m{c}")).collect();
        for after in KEPT - 5..KEPT {
            let output = [&b"."[..], coloured.as_bytes(), &vec![b'.'; after]].concat();
            let text = tail_of(&[&output], &redactor).unwrap();
            assert_eq!(text.trim_matches(['.', '…', '*']), "", "with {after} bytes after it");
        }
    }

    #[test]
    fn a_killed_commands_beginning_of_a_secret_is_left_out() {
        let redactor = Redactor::new(["hunter2"]);
        let mut tail = Tail::new(&redactor);
        tail.push(Stream::Stdout, b"x hunt");
        assert_eq!(tail.text(&redactor, Ended::Failed).as_deref(), Some("x hunt"));
        assert_eq!(tail.text(&redactor, Ended::Killed).as_deref(), Some("x"));
    }

    #[test]
    fn only_the_last_state_of_a_progress_bar_is_shown() {
        let bar: String = (0..20_000).map(|step| format!("\rprogress {step} of 20000")).collect();
        let text = tail_of(&[b"begun\n", bar.as_bytes(), b"\nfailed\n"], &Redactor::new(["secret"])).unwrap();
        assert_eq!(text, "…progress 19999 of 20000\nfailed");
    }
}
