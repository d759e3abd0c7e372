//! Commands that are quoted as in a shell.

/// A command, split into words.
#[derive(Clone)]
pub(super) struct Words(pub(super) Vec<String>);

pub(super) fn words(text: &str) -> Result<Words, String> {
    match shlex::split(text) {
        None => Err("a quote is not closed, or the command ends with a backslash".to_owned()),
        Some(words) if words.is_empty() => Err("the command is empty".to_owned()),
        Some(words) => Ok(Words(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_split_as_in_a_shell() {
        let read = |text| words(text).map(|words| words.0);
        assert_eq!(
            read("python3 -m 'my lambda' app.\"handler\"").unwrap(),
            ["python3", "-m", "my lambda", "app.handler"]
        );
        assert_eq!(read(r"my\ worker  -v").unwrap(), ["my worker", "-v"]);
        for (text, named) in [("", "empty"), ("  ", "empty"), ("sh -c 'exit", "quote"), ("sh \\", "backslash")] {
            assert!(read(text).unwrap_err().contains(named), "{text}");
        }
    }
}
