//! Cuts output into lines.

/// The unfinished line of a stream.
#[derive(Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Passes each line that these bytes end to `show`, without its line break. Bytes that are not UTF-8 become U+FFFD.
    pub(super) fn push(&mut self, mut bytes: &[u8], show: &dyn Fn(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            self.show(show);
            bytes = &bytes[end + 1..];
        }
        self.rest.extend_from_slice(bytes);
    }

    /// Passes the unfinished line to `show`, if there is one.
    pub(super) fn finish(&mut self, show: &dyn Fn(&str)) {
        if !self.rest.is_empty() {
            self.show(show);
        }
    }

    fn show(&mut self, show: &dyn Fn(&str)) {
        let line = self.rest.strip_suffix(b"\r").unwrap_or(&self.rest);
        show(&String::from_utf8_lossy(line));
        self.rest.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let shown = RefCell::new(Vec::new());
        let show = |line: &str| shown.borrow_mut().push(line.to_owned());
        let mut lines = Lines::default();
        for piece in pieces {
            lines.push(piece, &show);
        }
        lines.finish(&show);
        shown.into_inner()
    }

    #[test]
    fn line_may_arrive_in_pieces() {
        assert_eq!(lines(&[b"a", b"b\nc", b"\n\nd\r\n", b"e"]), ["ab", "c", "", "d", "e"]);
        assert_eq!(lines(&[]), [""; 0]);
        assert_eq!(lines(&[b"a\n"]), ["a"]);
    }

    #[test]
    fn character_may_arrive_in_pieces() {
        assert_eq!(lines(&[b"\xc3", b"\xa9\n", b"\xff\n"]), ["é", "\u{fffd}"]);
    }
}
