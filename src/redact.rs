//! Takes secrets out of texts that leave the worker, and cuts such texts to a length.
//!
//! Redact first and cut afterwards: a secret that a cut went through is no longer recognised, and half of it stays readable.
//! [`Redactor::redact_part`] does both for a part of a longer text.

use std::borrow::Cow;
use std::ops::Range;

use needles::Needles;

mod forms;
mod needles;

/// What stands where a secret was; CodePipeline masks secret configuration values the same way.
const MASK: &str = "****";
/// What stands where a text was cut.
const ELLIPSIS: &str = "…";

/// Knows some secrets and replaces them wherever they occur.
///
/// It knows each secret as it is, escaped for JSON, percent-encoded, and in base64; a secret of several lines also line by
/// line (lines of at least four characters). It does not derive `Debug`.
#[derive(Default)]
pub struct Redactor {
    forms: Needles,
}

impl Redactor {
    /// A redactor for `secrets`: configuration values, credentials, tokens. Empty ones are left out.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        Self { forms: Needles::new(secrets.into_iter().flat_map(|secret| forms::of_secret(secret.as_ref())).collect()) }
    }

    /// `text` with `****` for each secret. Where occurrences overlap, one mask covers all of them.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.forms.covered(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        // A secret is UTF-8, so it begins and ends between two characters of the text.
        Cow::Owned(self.masked(text.as_bytes(), 0..text.len(), &found))
    }

    /// The redacted `part` (a range of bytes) of `text`. A secret that reaches into the part from outside is masked too, so a
    /// text that was itself cut needs [`longest_form`](Self::longest_form) bytes more on that side than the part has.
    /// Bytes that are not UTF-8 become `�`; a character that the part's ends split is left out.
    pub fn redact_part(&self, text: &[u8], part: Range<usize>) -> String {
        let part = whole_characters(text, part);
        self.masked(text, part, &self.forms.covered(text))
    }

    /// Whether a secret occurs in `text`.
    pub fn finds_in(&self, text: &str) -> bool {
        self.forms.is_in(text.as_bytes())
    }

    /// The length in bytes of the longest form of a secret, 0 without secrets.
    pub fn longest_form(&self) -> usize {
        self.forms.longest()
    }

    fn masked(&self, text: &[u8], part: Range<usize>, secrets: &[Range<usize>]) -> String {
        let mut masked = String::with_capacity(part.len());
        let mut from = part.start;
        for secret in secrets.iter().filter(|secret| secret.start < part.end && secret.end > part.start) {
            masked.push_str(&String::from_utf8_lossy(&text[from..secret.start.max(from)]));
            masked.push_str(MASK);
            from = secret.end.min(part.end);
        }
        masked.push_str(&String::from_utf8_lossy(&text[from..part.end]));
        masked
    }
}

/// Narrows `part` so that it begins and ends between two characters.
fn whole_characters(text: &[u8], part: Range<usize>) -> Range<usize> {
    let continues = |at: usize| text.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    let Range { mut start, mut end } = part;
    // A character has at most three bytes after its first; more of them are no UTF-8, and nothing is split.
    for _ in 0..3 {
        if start > 0 && start < end && continues(start) {
            start += 1;
        }
        if end > start && continues(end) {
            end -= 1;
        }
    }
    start..end
}

/// The first `max_chars` characters of `text`; where that is not all, the last of them is `…`.
pub fn keep_start(text: &str, max_chars: usize) -> Cow<'_, str> {
    if text.char_indices().nth(max_chars).is_none() {
        return Cow::Borrowed(text);
    }
    let Some(kept) = max_chars.checked_sub(1) else { return Cow::Borrowed("") };
    let end = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// The last `max_chars` characters of `text`; where that is not all, the first of them is `…`.
pub fn keep_end(text: &str, max_chars: usize) -> Cow<'_, str> {
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

    fn redact(secrets: &[&str], text: &str) -> String {
        Redactor::new(secrets).redact(text).into_owned()
    }

    #[test]
    fn each_occurrence_becomes_a_mask() {
        assert_eq!(redact(&["hunter2"], "a hunter2 b hunter2hunter2"), "a **** b ********");
        assert_eq!(redact(&["hünter"], "ähünterü"), "ä****ü");
    }

    #[test]
    fn a_text_without_secrets_is_not_copied() {
        assert!(matches!(Redactor::new(["hunter2"]).redact("nothing here"), Cow::Borrowed(_)));
        assert_eq!(redact(&["", " \n"], "nothing here"), "nothing here");
    }

    #[test]
    fn the_longer_of_two_secrets_wins() {
        assert_eq!(redact(&["pass", "password123"], "password123 pass"), "**** ****");
    }

    #[test]
    fn overlapping_secrets_leave_nothing_readable() {
        assert_eq!(redact(&["abcdef", "defghi"], "xabcdefghix"), "x****x");
        assert_eq!(redact(&["aba"], "xababax"), "x****x");
        assert_eq!(redact(&["bcd", "abcde", "efg"], "xabcdefgx"), "x****x");
    }

    #[test]
    fn a_secret_of_several_lines_is_found_line_by_line() {
        let secret = "-----BEGIN-----\r\nfirst line\r\nabc\nlast line\n";
        assert_eq!(redact(&[secret], "> last line <\n> first line <\n> abc <"), "> **** <\n> **** <\n> abc <");
        assert_eq!(redact(&[secret], &format!("<{secret}>")), "<****>");
        assert_eq!(redact(&["abc\n"], "<abc>"), "<****>");
    }

    #[test]
    fn escaped_and_encoded_forms_are_found() {
        let secret = "p\"ä/s w+\n?1~";
        for form in [
            r#"p\"ä/s w+\n?1~"#,
            r#"p\"\u00e4/s w+\n?1~"#,
            r#"p\"ä\/s w+\n?1~"#,
            "p%22%C3%A4%2Fs%20w%2B%0A%3F1~",
            "p%22%c3%a4%2fs%20w%2b%0a%3f1~",
            "p%22%C3%A4/s%20w%2B%0A%3F1~",
            "p%22%C3%A4%2Fs+w%2B%0A%3F1%7E",
            "cCLDpC9zIHcrCj8xfg==",
            "cCLDpC9zIHcrCj8xfg",
        ] {
            assert_eq!(redact(&[secret], &format!("<{form}>")), "<****>", "{form}");
        }
        assert_eq!(redact(&["???>>>~~~"], "<Pz8/Pj4+fn5+> <Pz8_Pj4-fn5->"), "<****> <****>");
    }

    #[test]
    fn base64_of_a_longer_text_is_found_wherever_the_secret_lies_in_it() {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        for user in ["", "u", "us", "use", "user"] {
            let encoded = BASE64_STANDARD.encode(format!("{user}:correct horse battery:x"));
            let redacted = redact(&["correct horse battery"], &encoded);
            assert!(redacted.contains(MASK) && redacted.len() < encoded.len() - 20, "{user}: {redacted}");
        }
    }

    #[test]
    fn base64_that_is_wrapped_is_found() {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let secret = "0123456789".repeat(8);
        let encoded = BASE64_STANDARD.encode(&secret);
        for width in [64, 76] {
            assert_eq!(redact(&[&secret], &format!("{}\n{}", &encoded[..width], &encoded[width..])), MASK);
        }
    }

    #[test]
    fn a_part_masks_what_reaches_into_it_from_outside() {
        let redactor = Redactor::new(["secret"]);
        let text = b"aa secret bb secret cc";
        assert_eq!(redactor.redact_part(text, 6..16), "**** bb ****");
        assert_eq!(redactor.redact_part(text, 9..13), " bb ");
        assert_eq!(redactor.redact_part(text, 4..6), "****");
        assert_eq!(redactor.redact_part(text, 0..text.len()), "aa **** bb **** cc");
    }

    #[test]
    fn a_part_splits_no_character_and_takes_any_bytes() {
        let redactor = Redactor::new(["secret"]);
        assert_eq!(redactor.redact_part("a€b€c".as_bytes(), 2..6), "b");
        assert_eq!(redactor.redact_part(b"\xffsecret\xff", 0..8), "\u{fffd}****\u{fffd}");
        assert_eq!(redactor.redact_part(&[0x80; 9], 0..9).chars().count(), 9);
    }

    #[test]
    fn a_long_secret_of_many_lines_that_are_alike_is_found() {
        let secret: String = (4..300).map(|length| "a".repeat(length) + "\n").collect();
        let text = "a".repeat(64 * 1024);
        assert_eq!(redact(&[&secret, &"a".repeat(50_000)], &text), MASK);
    }

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
        fn cuts_keep_their_promise(text in any::<String>(), max in 0_usize..40) {
            for cut in [keep_start(&text, max), keep_end(&text, max)] {
                prop_assert_eq!(cut.chars().count(), text.chars().count().min(max));
            }
        }

        #[test]
        fn no_secret_survives(
            secrets in prop::collection::vec("[ab]{2,4}", 1..4),
            text in "[abc]{0,40}",
            cut in 0_usize..40,
        ) {
            let redactor = Redactor::new(&secrets);
            let part = cut.min(text.len())..text.len();
            for redacted in [redactor.redact(&text).into_owned(), redactor.redact_part(text.as_bytes(), part)] {
                for secret in &secrets {
                    prop_assert!(!redacted.contains(secret.as_str()), "{} in {}", secret, redacted);
                }
            }
        }
    }
}
