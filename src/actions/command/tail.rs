//! The end of a command's output.

use std::borrow::Cow;

use crate::redact::Redactor;

/// How much of the output is kept. CodePipeline shows at most 5000 characters of a failure (API model, `Message`); masks
/// are shorter than the secrets that they stand for, so more than that many bytes are needed to fill them.
const KEPT: usize = 64 * 1024;

/// Keeps the end of what a command prints, however much that is.
pub(super) struct Tail {
    bytes: Vec<u8>,
    /// How much is shown in the end, and how much before it is kept for the sake of redaction: where something was thrown
    /// away, what is left may begin within a secret, and that half of it would not be recognised.
    shown: usize,
    margin: usize,
}

impl Tail {
    pub(super) fn new(redactor: &Redactor) -> Self {
        // One byte at least, which tells that there was more.
        Self { bytes: Vec::new(), shown: KEPT, margin: redactor.longest_form().max(1) }
    }

    pub(super) fn push(&mut self, output: &[u8]) {
        self.bytes.extend_from_slice(output);
        // Throwing away at twice the size moves each byte at most once on average.
        let kept = self.shown + self.margin;
        if self.bytes.len() > 2 * kept {
            self.bytes.drain(..self.bytes.len() - kept);
        }
    }

    /// The end of the output, redacted, with `…` where more came before it; `None` if nothing was printed.
    pub(super) fn into_text(self, redactor: &Redactor) -> Option<String> {
        let end = self.bytes.len();
        // Where something was thrown away, this is at least the margin.
        let hidden = end.saturating_sub(self.shown);
        let text = redactor.redact_part(&self.bytes, hidden..end);
        let text = text.trim();
        let shown: Cow<'_, str> = if hidden > 0 { format!("…{text}").into() } else { text.into() };
        Some(shown.into_owned()).filter(|shown| !shown.is_empty())
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
    fn of_long_output_the_end_is_kept_in_bounded_memory() {
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
    fn output_whose_last_piece_throws_the_rest_away_shows_that_there_was_more() {
        let redactor = Redactor::default();
        let text = tail_of(&[&[b'x'; 2 * KEPT], b"xxxthe end"], &redactor).unwrap();
        assert!(text.starts_with("…xxx") && text.ends_with("xthe end"));
    }

    #[test]
    fn a_secret_at_the_cut_is_masked_wherever_the_cut_goes_through_it() {
        let secret = "correct-horse-battery";
        let redactor = Redactor::new([secret]);
        for after in KEPT - 30..KEPT + 30 {
            let filler = vec![b'.'; after];
            // In one piece, and after so much other output that the buffer was emptied in between.
            for before in [1, 3 * KEPT] {
                let text = tail_of(&[&vec![b'.'; before], secret.as_bytes(), &filler], &redactor).unwrap();
                let readable = text.trim_matches(['.', '…', '*']);
                assert_eq!(readable, "", "with {after} bytes after it");
            }
        }
    }
}
