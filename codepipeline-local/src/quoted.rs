//! Quotes texts for a shell, where a message has a command or a flag to type.

/// The text as one word of a shell, with quotes only where it needs them.
pub(crate) fn word(text: &str) -> String {
    // shlex quotes some characters that are plain in every shell, such as an equals sign after a letter.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.:/@-=,+".contains(letter);
    let begins_plainly = text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_./".contains(first));
    if begins_plainly && text.chars().all(is_plain) { text.to_owned() } else { in_quotes(text) }
}

/// The text as one word in quotes. It shows that a command of several words may take the place of a part of it.
pub(crate) fn in_quotes(text: &str) -> String {
    match shlex::try_quote(text) {
        Ok(quoted) if quoted == text => format!("'{text}'"),
        Ok(quoted) => quoted.into_owned(),
        // No word of a shell has a NUL.
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_by_a_shell() {
        for text in ["App=DIR", "", "a b", "It's=COMMAND", "$(rm)", "a\"b", "#a", "~x", "=a", "!x", "a\nb", "\\"] {
            for quoted in [word(text), in_quotes(text)] {
                assert_eq!(shlex::split(&quoted).unwrap(), [text], "{quoted}");
            }
        }
        assert_eq!((word("App=DIR"), in_quotes("App")), ("App=DIR".to_owned(), "'App'".to_owned()));
    }
}
