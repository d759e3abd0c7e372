//! The end of a command's output.

use crate::redact::{Piece, Redactor};

/// The bytes of output that are kept. CodePipeline shows at most 5000 characters of a failure (API model, `Message`). Filling them
/// takes more bytes, because masks are shorter than secrets and escape sequences are removed.
const KEPT: usize = 64 * 1024;
/// The minimum that is kept before them, so that the rest of an escape sequence, such as a link's target, is not shown as text.
const MIN_MARGIN: usize = 4096;

/// Keeps the end of a command's output in bounded memory.
pub(super) struct Tail {
    bytes: Vec<u8>,
    dropped: bool,
    /// The bytes that are kept before the shown part, for redaction. The redactor would not recognize a secret that the cut divides.
    margin: usize,
}

impl Tail {
    pub(super) fn new(redactor: &Redactor) -> Self {
        Self { bytes: Vec::new(), dropped: false, margin: redactor.longest_form().max(MIN_MARGIN) }
    }

    pub(super) fn push(&mut self, output: &[u8]) {
        self.bytes.extend_from_slice(output);
        // Dropping at twice the size moves each byte at most once on average.
        if self.bytes.len() > 2 * (KEPT + self.margin) {
            self.drop_surplus();
        }
    }

    fn drop_surplus(&mut self) {
        let surplus = self.bytes.len().saturating_sub(KEPT + self.margin);
        self.dropped |= surplus > 0;
        self.bytes.drain(..surplus);
    }

    /// The end of the output as plain text, redacted. Begins with `…` if output was dropped. Returns `None` if there was no output.
    pub(super) fn into_text(mut self, redactor: &Redactor) -> Option<String> {
        self.drop_surplus();
        let hidden = self.bytes.len().saturating_sub(KEPT);
        let piece = Piece { hidden, cut_before: self.dropped, ..Piece::whole(&self.bytes) };
        let text = redactor.excerpt(piece);
        let text = text.trim();
        let shown = if hidden > 0 { format!("…{text}") } else { text.to_owned() };
        Some(shown).filter(|shown| !shown.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(chunks: &[&[u8]], redactor: &Redactor) -> Option<String> {
        let mut tail = Tail::new(redactor);
        chunks.iter().for_each(|chunk| tail.push(chunk));
        tail.into_text(redactor)
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
            tail.push(&[b'x'; 4096]);
            assert!(tail.bytes.capacity() <= 8 * KEPT);
        }
        tail.push(b"the end");
        let text = tail.into_text(&redactor).unwrap();
        assert!(text.starts_with("…xxx") && text.ends_with("xthe end"));
        assert_eq!(text.len(), "…".len() + KEPT);
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
    fn only_the_last_state_of_a_progress_bar_is_shown() {
        let bar: String = (0..20_000).map(|step| format!("\rprogress {step} of 20000")).collect();
        let text = tail_of(&[b"begun\n", bar.as_bytes(), b"\nfailed\n"], &Redactor::new(["secret"])).unwrap();
        assert_eq!(text, "…progress 19999 of 20000\nfailed");
    }
}
