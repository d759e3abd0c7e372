//! A hint about configuration values with Windows line ends.

use crate::job::{Configuration, Failure, FailureKind, USER_PARAMETERS};
use crate::placeholder::Template;

/// The configuration values with Windows line ends.
pub(super) struct LineEnds {
    keys: Vec<String>,
    /// Whether the command's arguments contain them. Otherwise only its environment does.
    pub(super) are_in_arguments: bool,
}

impl LineEnds {
    /// The values that `arguments` contain, or else all values.
    pub(super) fn of(arguments: &[Template], configuration: &Configuration) -> Self {
        let is_windows = |value: &str| value.contains("\r\n") || value.ends_with('\r');
        // The text with all members is JSON, which allows any line ends.
        let has_members = configuration.keys().count() > 1;
        let values = configuration.iter().filter(|(key, _)| !(has_members && *key == USER_PARAMETERS));
        let all: Vec<String> = values.filter(|(_, value)| is_windows(value)).map(|(key, _)| key.to_owned()).collect();
        let is_named = |key: &String| arguments.iter().any(|argument| argument.keys().any(|named| named == key));
        let named: Vec<String> = all.iter().filter(|key| is_named(key)).cloned().collect();
        let are_in_arguments = !named.is_empty();
        Self { keys: if are_in_arguments { named } else { all }, are_in_arguments }
    }

    pub(super) fn hint(&self) -> Option<String> {
        let (values, them) = match self.keys.as_slice() {
            [] => return None,
            [key] => (format!("the configuration value `{key}` has"), "it"),
            keys => (format!("the configuration values `{}` have", keys.join("`, `")), "them"),
        };
        Some(format!(
            "{values} Windows line ends (CR LF), and most programs treat the CR as text: save {them} with LF alone"
        ))
    }

    /// Adds the hint to a failure, unless it is the system's.
    pub(super) fn add_to(&self, failure: Failure) -> Failure {
        match self.hint() {
            Some(hint) if failure.kind != FailureKind::SystemUnavailable => {
                Failure { message: format!("{}; {hint}", failure.message), ..failure }
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::FailureCode;

    fn line_ends(arguments: &[&str], configuration: &[(&str, &str)]) -> LineEnds {
        let arguments: Vec<_> = arguments.iter().map(|argument| Template::parse(argument).ok().unwrap()).collect();
        LineEnds::of(&arguments, &configuration.iter().copied().collect())
    }

    #[test]
    fn values_with_windows_line_ends_are_found() {
        let command = ("Command", "ls\r\n");
        for (argument, configuration, keys, are_in_arguments) in [
            ("{Config:Command}", &[command, ("Other", "a\r\nb")][..], &["Command"][..], true),
            ("run", &[command], &["Command"], false),
            ("run", &[("Command", "ls\r")], &["Command"], false),
            ("run", &[command, ("Other", "\r\n")], &["Command", "Other"], false),
            ("{Config:Command}", &[("Command", "printf '\r' x\n")], &[], false),
            ("run", &[("Url", "x"), (USER_PARAMETERS, "{\r\n\"Url\": \"x\"}")], &[], false),
        ] {
            let found = line_ends(&[argument], configuration);
            assert_eq!(
                (found.keys, found.are_in_arguments),
                (keys.iter().map(|&key| key.to_owned()).collect(), are_in_arguments)
            );
        }
    }

    #[test]
    fn the_hint_is_added_unless_the_failure_is_the_systems() {
        let message = |kind, values: &[(&str, &str)]| {
            line_ends(&["run"], values).add_to(Failure::new(kind, FailureCode::new("Test"), "no")).message
        };
        let one = [("Command", "ls\r\n")];
        let expected = "no; the configuration value `Command` has Windows line ends (CR LF), and most programs treat the CR as text: \
                        save it with LF alone";
        assert_eq!(message(FailureKind::JobFailed, &one), expected);
        assert_eq!(message(FailureKind::SystemUnavailable, &one), "no");
        assert_eq!(message(FailureKind::JobFailed, &[]), "no");
        let two = message(FailureKind::JobFailed, &[one[0], ("Other", "\r\n")]);
        assert!(
            two.contains("the configuration values `Command`, `Other` have")
                && two.ends_with("save them with LF alone")
        );
    }
}
