//! The forms that a secret may have in a text.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that a URL's query has encoded (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The shortest value that is taken for a secret unasked, in characters without the white space around it. Shorter ones, such as a
/// number, are in any text.
const SHORTEST: usize = 4;

/// The shortest line of a secret of several lines that counts on its own, in bytes. Shorter ones, such as `}`, are in any text.
const SHORTEST_LINE: usize = 8;

/// The secret, the same without the white space around it, and its lines of at least 8 bytes. Each unchanged, as a JSON text has it, and
/// as a URL has it.
/// An empty secret has no form.
pub(crate) fn forms(secret: &str) -> impl Iterator<Item = String> {
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    let parts = [secret, secret.trim()].into_iter().chain(lines).filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| {
        let escaped = escaped(part);
        let in_ascii = ascii(&escaped);
        let in_url = utf8_percent_encode(part, RESERVED).to_string();
        [part.to_owned(), escaped, in_ascii, in_url]
    })
}

/// Whether a value that the user did not name as a secret is long enough to be masked in texts.
pub(crate) fn is_long(value: &str) -> bool {
    value.trim().chars().nth(SHORTEST - 1).is_some()
}

/// The text between the quotes of a JSON text.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The text as Python's `json.dumps` writes it, with an escape for each UTF-16 unit of other characters than ASCII.
fn ascii(text: &str) -> String {
    let mut units = [0; 2];
    let mut found = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            found.push(c);
        } else {
            found.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_secret_has_no_form() {
        for empty in ["", " \n"] {
            assert_eq!(forms(empty).count(), 0, "{empty:?}");
        }
        assert!(forms(" 1\n").any(|form| form == "1"));
    }

    #[test]
    fn value_of_4_characters_is_long() {
        for short in ["", " \n", "e", "123", " é€😀 \n"] {
            assert!(!is_long(short), "{short:?}");
        }
        assert!(is_long(" 1234\n") && is_long("aé€😀"));
    }

    #[test]
    fn secret_in_a_url_is_a_form() {
        assert!(forms("p@ss w/é-._~").any(|form| form == "p%40ss%20w%2F%C3%A9-._~"));
    }
}
