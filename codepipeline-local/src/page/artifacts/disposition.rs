//! The name of a downloaded file.

use http::HeaderValue;

/// The longest name, in characters.
const LONGEST: usize = 150;

/// The last step of a path, with the separators of any system.
pub(super) fn last_step(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// `Content-Disposition` for a file with this name, which may come from anywhere (RFC 6266).
pub(super) fn attachment(name: &str) -> HeaderValue {
    let safe: String = name.chars().map(|c| if is_safe(c) { c } else { '_' }).take(LONGEST).collect();
    // A leading dot would hide the file, and names such as `..` are folders.
    let trimmed = safe.trim_matches([' ', '.']);
    let safe = if trimmed.is_empty() { "file" } else { trimmed };
    let ascii: String = safe.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", encoded(safe));
    // The text is ASCII.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Whether every file system and the header's quotes take the character.
fn is_safe(c: char) -> bool {
    // Formatting characters could show another ending than the name has.
    let is_hidden =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !is_hidden && !r#"/\:*?"<>|%"#.contains(c)
}

/// Percent-encodes all but letters, digits and a few marks (RFC 8187, "attr-char").
fn encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_name_becomes_a_plain_file_name() {
        for (path, name, encoded) in [
            ("a/b c.txt", "b c.txt", "b%20c.txt"),
            ("../../etc/passwd", "passwd", "passwd"),
            ("C:\\Windows\\x.exe", "x.exe", "x.exe"),
            ("..", "file", "file"),
            ("a/", "file", "file"),
            (".bashrc", "bashrc", "bashrc"),
            ("a\"b\r\nSet-Cookie: x", "a_b__Set-Cookie_ x", "a_b__Set-Cookie_%20x"),
            ("über.txt", "_ber.txt", "%C3%BCber.txt"),
            ("txt.\u{202e}exe", "txt._exe", "txt._exe"),
            ("<script>", "_script_", "_script_"),
        ] {
            let header = attachment(last_step(path));
            let wanted = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{encoded}");
            assert_eq!(header.to_str().unwrap(), wanted, "{path:?}");
        }
        assert!(attachment(&"x".repeat(5000)).len() < 400);
    }
}
