//! Divides redacted text into lines for the log.

use memchr::memchr;

use crate::actions::LONGEST_LINE as LONGEST;

/// Takes the whole lines from `text`, each with its line feed. Divides longer lines between characters.
pub(super) fn take_lines(text: &mut String) -> String {
    let mut lines = String::new();
    let mut from = 0;
    loop {
        let rest = &text[from..];
        let found = memchr(b'\n', rest.as_bytes());
        let length = match found {
            Some(length) if length <= LONGEST => length + 1,
            None if rest.len() <= LONGEST => break,
            _ => rest.floor_char_boundary(LONGEST),
        };
        lines.push_str(&rest[..length]);
        if !lines.ends_with('\n') {
            lines.push('\n');
        }
        from += length;
    }
    text.drain(..from);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_and_rest(text: &str) -> (Vec<String>, String) {
        let mut rest = text.to_owned();
        let lines = take_lines(&mut rest);
        assert!(lines.is_empty() || lines.ends_with('\n'));
        (lines.lines().map(str::to_owned).collect(), rest)
    }

    #[test]
    fn whole_lines_are_taken_and_the_rest_stays() {
        let (lines, rest) = lines_and_rest("one\n\ntwo\nthr");
        assert_eq!((lines, rest.as_str()), (vec!["one".to_owned(), String::new(), "two".to_owned()], "thr"));
        assert_eq!(lines_and_rest(""), (Vec::new(), String::new()));
    }

    #[test]
    fn long_lines_are_divided_between_characters() {
        for (text, lengths) in [
            ("x".repeat(LONGEST) + "\n", vec![LONGEST]),
            ("x".repeat(LONGEST + 1) + "\n", vec![LONGEST, 1]),
            ("x".repeat(LONGEST - 1) + "üü\nx\n", vec![LONGEST - 1, 4, 1]),
            ("ü".repeat(LONGEST) + "\n", vec![LONGEST, LONGEST]),
        ] {
            let (lines, rest) = lines_and_rest(&text);
            assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), lengths);
            assert_eq!(rest, "");
            assert_eq!(lines.concat(), text.replace('\n', ""));
        }
    }

    #[test]
    fn a_long_line_is_taken_before_it_ends() {
        let (lines, rest) = lines_and_rest(&"x".repeat(2 * LONGEST + 5));
        assert_eq!((lines.len(), rest.len()), (2, 5));
    }
}
