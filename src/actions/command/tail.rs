//! The end of a command's output.

use crate::redact::{Piece, Redactor};

/// How much of the output is kept. CodePipeline shows at most 5000 characters of a failure (API model, `Message`). More bytes than
/// that are needed to fill them: a mask is shorter than its secret, and escape sequences are left out.
const KEPT: usize = 64 * 1024;
/// The least that is kept before that, so that the rest of an escape sequence (such as a link's target) does not show as text.
const LONGEST_SEQUENCE: usize = 4096;

/// Keeps the end of what a command prints, however much that is.
pub(super) struct Tail {
    bytes: Vec<u8>,
    thrown_away: bool,
    /// How much is kept before the part that is shown, for redaction. The cut may go through a secret, and half of a secret is not
    /// recognised.
    margin: usize,
}

impl Tail {
    pub(super) fn new(redactor: &Redactor) -> Self {
        Self { bytes: Vec::new(), thrown_away: false, margin: redactor.longest_form().max(LONGEST_SEQUENCE) }
    }

    pub(super) fn push(&mut self, output: &[u8]) {
        self.bytes.extend_from_slice(output);
        // Throwing away at twice the size moves each byte at most once on average.
        if self.bytes.len() > 2 * (KEPT + self.margin) {
            self.throw_away();
        }
    }

    fn throw_away(&mut self) {
        let surplus = self.bytes.len().saturating_sub(KEPT + self.margin);
        self.thrown_away |= surplus > 0;
        self.bytes.drain(..surplus);
    }

    /// The end of the output as a person reads it, redacted, with `…` where more came before it; `None` if nothing was printed.
    pub(super) fn into_text(mut self, redactor: &Redactor) -> Option<String> {
        self.throw_away();
        let hidden = self.bytes.len().saturating_sub(KEPT);
        let piece = Piece { hidden, cut_before: self.thrown_away, ..Piece::whole(&self.bytes) };
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
        let text = tail_of(&[&[b'x'; 2 * (KEPT + LONGEST_SEQUENCE)], b"xxxthe end"], &redactor).unwrap();
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

    #[test]
    fn output_is_plain_wherever_the_cut_goes_through_it() {
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
    fn of_a_long_progress_bar_the_last_state_is_shown() {
        let bar: String = (0..20_000).map(|step| format!("\rprogress {step} of 20000")).collect();
        let text = tail_of(&[b"begun\n", bar.as_bytes(), b"\nfailed\n"], &Redactor::new(["secret"])).unwrap();
        assert_eq!(text, "…progress 19999 of 20000\nfailed");
    }
}
