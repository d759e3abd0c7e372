//! Strings with wildcards: `*` stands for any number of characters.

/// The parts between the wildcards, in order: `a*b` is `a` and `b`.
#[derive(Debug, PartialEq)]
pub(super) struct Wildcard(Vec<String>);

impl Wildcard {
    /// Reads a string such as `dir/*.png`. A backslash escapes `*` and itself.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let last = pieces.len() - 1;
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err(format!("{text:?} has two wildcards in a row; write one, or \\* for the character"));
                }
                '*' => pieces.push(String::new()),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => pieces[last].push(escaped),
                    _ => {
                        return Err(format!(
                            "{text:?} has a backslash that is not before * or \\; write \\\\ for the character"
                        ));
                    }
                },
                other => pieces[last].push(other),
            }
        }
        Ok(Self(pieces))
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        // The earliest match of each part leaves the most for the following parts.
        for piece in between {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All strings of these characters up to a length.
    fn texts(characters: &str, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut begin = 0;
        for _ in 0..longest {
            let end = all.len();
            for index in begin..end {
                all.extend(
                    characters.chars().map(|character| format!("{}{character}", all[index])).collect::<Vec<_>>(),
                );
            }
            begin = end;
        }
        all
    }

    /// Matches by definition: a wildcard matches nothing, or one more character.
    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], _) => fits(rest, text) || !text.is_empty() && fits(pattern, &text[1..]),
            ([wanted, rest @ ..], [found, text @ ..]) => wanted == found && fits(rest, text),
            _ => false,
        }
    }

    #[test]
    fn wildcard_matches_any_characters_or_none() {
        let texts_of = texts("ab", 6);
        for pattern in texts("ab*", 5) {
            let Ok(wildcard) = Wildcard::read(&pattern) else {
                assert!(pattern.contains("**"), "{pattern}");
                continue;
            };
            assert!(!pattern.contains("**"), "{pattern}");
            for text in &texts_of {
                assert_eq!(wildcard.fits(text), fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn backslash_escapes_a_wildcard() {
        let fits = |pattern: &str, text| Wildcard::read(pattern).unwrap().fits(text);
        assert!(fits(r"a\*b", "a*b") && !fits(r"a\*b", "axb"));
        assert!(fits(r"a\\*", r"a\b") && fits(r"\*\*", "**"));
        for wrong in [r"a\b", r"a\", "a**b"] {
            assert!(Wildcard::read(wrong).unwrap_err().contains(&format!("{wrong:?}")), "{wrong}");
        }
    }
}
