//! The forms in which a secret can occur.

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::plain::plain;

/// Shorter lines of a secret are words such as `fi` or `}`, which would mask half of any text.
const MIN_LINE_CHARS: usize = 4;
/// Shorter lines of a secret (`kind: Config`) are in data that has nothing to do with it.
const MIN_LINE_CHARS_IN_DATA: usize = 16;
/// Shorter pieces of base64 occur by chance.
const MIN_BASE64_CORE: usize = 8;
/// The widths at which `base64`, MIME (76) and PEM, `openssl` (64) wrap.
const BASE64_WIDTHS: [usize; 2] = [64, 76];

/// What percent encoding leaves alone: RFC 3986's unreserved characters, and what some encoders add.
const RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &RFC_3986.remove(b'/');
const JAVASCRIPT: &AsciiSet = &RFC_3986.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
const FORM: &AsciiSet = &RFC_3986.add(b'~').remove(b'*');

/// Every form of `secret`, in no order and with repetitions; none is empty. A secret with control characters has those of its
/// plain text, too, which is what a plain text holds of it.
pub(super) fn of_secret(secret: &str) -> Vec<Vec<u8>> {
    of_pieces(secret, |_| true, |line| length(line) >= MIN_LINE_CHARS)
}

/// The forms in which `secret` is looked for in data: those of the whole text, and where `lines` is true, those of its long lines.
/// What is looked for has `at_least` so many characters.
pub(super) fn in_data(secret: &str, at_least: usize, lines: bool) -> Vec<Vec<u8>> {
    let is_telling = |line: &str| length(line) >= MIN_LINE_CHARS_IN_DATA.max(at_least) && !is_pem_boundary(line);
    of_pieces(secret, |whole| length(whole) >= at_least, |line| lines && is_telling(line))
}

fn of_pieces(secret: &str, is_whole: impl Fn(&str) -> bool, is_line: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let plain = plain(secret);
    let shown = if plain == secret { "" } else { &plain };
    let lines = secret.split(['\n', '\r']).chain(shown.lines()).map(str::trim).filter(|line| is_line(line));
    let wholes = [secret, secret.trim(), shown, shown.trim()].into_iter();
    let wholes = wholes.filter(|whole| !is_remnant(whole, secret) && is_whole(whole));
    for piece in wholes.chain(lines) {
        // White space alone is everywhere and tells nothing.
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

/// Whether the piece is what carriage returns and backspaces leave of a longer secret, too short to be looked for.
fn is_remnant(piece: &str, secret: &str) -> bool {
    length(piece) < MIN_LINE_CHARS && length(secret) >= MIN_LINE_CHARS
}

/// Whether the line is one like `-----BEGIN CERTIFICATE-----`, which many texts have.
fn is_pem_boundary(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----")
}

/// How long a text is: white space around it is not a part of it.
pub(super) fn length(text: &str) -> usize {
    text.trim().chars().count()
}

/// As the inside of a JSON string: plain, with all but ASCII escaped, and with slashes escaped.
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
    // None of the sets encodes these. A long secret has thousands of such lines.
    if piece.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    for set in [RFC_3986, PATH, JAVASCRIPT, FORM, NON_ALPHANUMERIC] {
        let upper: String = percent_encode(piece.as_bytes(), set).collect();
        // Only an encoded byte begins with `%`: the sign itself is always encoded.
        let lower: String = percent_encode(piece.as_bytes(), set)
            .map(|chunk| if chunk.starts_with('%') { chunk.to_ascii_lowercase() } else { chunk.to_owned() })
            .collect();
        for form in [upper, lower] {
            forms.push(form.replace("%20", "+"));
            forms.push(form);
        }
    }
}

/// In base64: on its own, wrapped, and the part of it that does not depend on what surrounds the secret, for each of the
/// three ways in which it can lie across base64's groups of three bytes (`Authorization: Basic` encodes `user:secret`).
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
