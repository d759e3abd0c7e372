//! The forms of a secret: escaped, encoded, and its lines.

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::plain::plain;

/// Shorter lines of a secret, such as `fi` or `}`, would mask half of any text.
const MIN_LINE_CHARS: usize = 4;
/// Shorter lines of a secret, such as `kind: Config`, occur in unrelated data.
const MIN_LINE_CHARS_IN_DATA: usize = 16;
/// Shorter parts of base64 occur by chance.
const MIN_BASE64_CORE: usize = 8;
/// The line widths of `base64` and MIME (76), and of PEM and `openssl` (64).
const BASE64_WIDTHS: [usize; 2] = [64, 76];

/// The characters that percent encoding does not change: RFC 3986's unreserved characters, and those that some encoders add.
const RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &RFC_3986.remove(b'/');
const JAVASCRIPT: &AsciiSet = &RFC_3986.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
const FORM: &AsciiSet = &RFC_3986.add(b'~').remove(b'*');

/// Every form of `secret`, in any order and with repetitions. No form is empty. A secret with control characters also has the
/// forms of its plain text, because a text that was made plain contains those.
pub(super) fn of_secret(secret: &str) -> Vec<Vec<u8>> {
    of_pieces(secret, |_| true, |line| length(line) >= MIN_LINE_CHARS)
}

/// The forms of `secret` to search for in data: those of the whole text and, if `lines` is true, those of its long lines. The texts
/// have at least `at_least` characters.
pub(super) fn in_data(secret: &str, at_least: usize, lines: bool) -> Vec<Vec<u8>> {
    let is_specific = |line: &str| length(line) >= MIN_LINE_CHARS_IN_DATA.max(at_least) && !is_pem_boundary(line);
    of_pieces(secret, |whole| length(whole) >= at_least, |line| lines && is_specific(line))
}

fn of_pieces(secret: &str, is_whole: impl Fn(&str) -> bool, is_line: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let plain = plain(secret);
    let shown = if plain == secret { "" } else { &plain };
    let lines = secret.split(['\n', '\r']).chain(shown.lines()).map(str::trim).filter(|line| is_line(line));
    let wholes = [secret, secret.trim(), shown, shown.trim()].into_iter();
    let wholes = wholes.filter(|whole| !is_remnant(whole, secret) && is_whole(whole));
    for piece in wholes.chain(lines) {
        // White space alone occurs everywhere.
        if piece.trim().is_empty() {
            continue;
        }
        forms.push(piece.to_owned());
        push_json(&mut forms, piece);
        push_percent_encoded(&mut forms, piece);
        push_base64(&mut forms, piece);
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// Whether carriage returns and backspaces leave so little of a longer secret that it would occur by chance.
fn is_remnant(piece: &str, secret: &str) -> bool {
    length(piece) < MIN_LINE_CHARS && length(secret) >= MIN_LINE_CHARS
}

/// Whether the line is like `-----BEGIN CERTIFICATE-----`, which occurs in many texts.
fn is_pem_boundary(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----")
}

/// The length of a text in characters, without white space around it.
pub(super) fn length(text: &str) -> usize {
    text.trim().chars().count()
}

/// Adds the forms in a JSON string: only required escapes, all but ASCII escaped, and each with slashes escaped.
fn push_json(forms: &mut Vec<String>, piece: &str) {
    let quoted = serde_json::Value::from(piece).to_string();
    let escaped = &quoted[1..quoted.len() - 1];
    let mut ascii = String::with_capacity(escaped.len());
    let mut units = [0; 2];
    for c in escaped.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            ascii.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    for form in [escaped, &ascii] {
        forms.push(form.replace('/', "\\/"));
        forms.push(form.to_owned());
    }
}

fn push_percent_encoded(forms: &mut Vec<String>, piece: &str) {
    // No set encodes these characters. A long secret has thousands of such lines.
    if piece.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    for set in [RFC_3986, PATH, JAVASCRIPT, FORM, NON_ALPHANUMERIC] {
        let upper: String = percent_encode(piece.as_bytes(), set).collect();
        // Only an encoded byte begins with `%`, because `%` itself is always encoded.
        let lower: String = percent_encode(piece.as_bytes(), set)
            .map(|chunk| if chunk.starts_with('%') { chunk.to_ascii_lowercase() } else { chunk.to_owned() })
            .collect();
        for form in [upper, lower] {
            forms.push(form.replace("%20", "+"));
            forms.push(form);
        }
    }
}

/// Adds the forms in base64: alone, wrapped, and as a part of a longer text (`Authorization: Basic` encodes `user:secret`). Base64
/// encodes groups of three bytes. So the encoded secret depends on its offset in the group, and its ends depend on the text around it.
fn push_base64(forms: &mut Vec<String>, piece: &str) {
    let alone = BASE64_STANDARD.encode(piece);
    let mut found: Vec<String> =
        BASE64_WIDTHS.iter().filter(|&&width| alone.len() > width).map(|&width| wrap(&alone, width)).collect();
    found.push(BASE64_STANDARD_NO_PAD.encode(piece));
    found.push(alone);
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(piece.as_bytes());
        let encoded = BASE64_STANDARD_NO_PAD.encode(&bytes);
        let core = &encoded[(before * 8).div_ceil(6)..bytes.len() * 8 / 6];
        if core.len() >= MIN_BASE64_CORE {
            found.push(core.to_owned());
        }
    }
    for form in found {
        if form.contains(['+', '/']) {
            forms.push(form.replace('+', "-").replace('/', "_"));
        }
        forms.push(form);
    }
}

/// `text` (ASCII) in lines of `width` characters.
fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + text.len() / width);
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % width == 0 {
            wrapped.push('\n');
        }
        wrapped.push(c);
    }
    wrapped
}
