//! Cuts a text to a number of characters.

use std::borrow::Cow;

/// Marks the place of a cut.
const ELLIPSIS: &str = "…";

/// Keeps the first `max_chars` characters of a text. If it has more, the last one kept is `…`.
pub(crate) fn keep_start(text: &str, max_chars: usize) -> Cow<'_, str> {
    if text.char_indices().nth(max_chars).is_none() {
        return Cow::Borrowed(text);
    }
    let Some(kept) = max_chars.checked_sub(1) else { return Cow::Borrowed("") };
    let end = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// Keeps the last `max_chars` characters of a text. If it has more, the first one kept is `…`.
pub(crate) fn keep_end(text: &str, max_chars: usize) -> Cow<'_, str> {
    if text.char_indices().nth(max_chars).is_none() {
        return Cow::Borrowed(text);
    }
    let Some(kept) = max_chars.checked_sub(1) else { return Cow::Borrowed("") };
    let start = text.char_indices().rev().take(kept).last().map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{ELLIPSIS}{}", &text[start..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_count_characters() {
        assert_eq!(keep_start("äöü", 3), "äöü");
        assert_eq!(keep_start("äöüß", 3), "äö…");
        assert_eq!(keep_end("äöü", 3), "äöü");
        assert_eq!(keep_end("äöüß", 3), "…üß");
        assert_eq!((keep_start("ab", 1), keep_end("ab", 1)), ("…".into(), "…".into()));
        assert_eq!((keep_start("ab", 0), keep_end("ab", 0)), ("".into(), "".into()));
        assert_eq!((keep_start("", 0), keep_end("", 0)), ("".into(), "".into()));
    }

    proptest! {
        #[test]
        fn a_cut_text_is_as_long_as_allowed(text in any::<String>(), max in 0_usize..40) {
            for cut in [keep_start(&text, max), keep_end(&text, max)] {
                prop_assert_eq!(cut.chars().count(), text.chars().count().min(max));
            }
        }
    }
}
