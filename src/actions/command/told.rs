//! The outcome of a command that was run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report_files::ReportFiles;
use crate::job::{
    ActionTypeId, Configuration, Failure, FailureKind, Finished, Outcome, Revision, USER_PARAMETERS, limits,
};
use crate::placeholder::Template;
use crate::redact::Redactor;

/// The outcome of a command that ended well. Without a summary it says how long the command took, and names the values in
/// `line_ends`: what the command wrote may have gone to a file whose name ends with CR.
pub(super) fn finished(
    report: &ReportFiles,
    redactor: &Redactor,
    took: Duration,
    line_ends: &LineEnds,
    action_type: &ActionTypeId,
) -> Result<Outcome, Failure> {
    let (written, variables) = (report.read_summary(redactor)?, report.read_variables()?);
    let revision = report.read_revision()?.or_else(|| committed(action_type, &variables, written.as_deref()));
    let summary = written.unwrap_or_else(|| {
        let hint = line_ends.hint().filter(|_| line_ends.are_in_arguments).map(|hint| format!("; {hint}"));
        format!("exit code 0 after {}{}", spoken(took), hint.unwrap_or_default())
    });
    Ok(Outcome::Finished(Finished {
        summary: Some(summary),
        external_execution_id: report.read_external_id()?,
        variables,
        revision,
        ..Finished::default()
    }))
}

/// The revision of a Source action that writes none, but gives the output variable `CommitId` as AWS's own Git sources do.
fn committed(
    action_type: &ActionTypeId,
    variables: &BTreeMap<String, String>,
    summary: Option<&str>,
) -> Option<Revision> {
    let commit = variables.get("CommitId").filter(|_| action_type.category == "Source")?;
    if commit.is_empty() || commit.chars().count() > limits::CHANGE_IDENTIFIER {
        return None;
    }
    let message = variables.get("CommitMessage").map(String::as_str).filter(|message| !message.is_empty());
    Some(Revision {
        revision: commit.clone(),
        change_identifier: commit.clone(),
        summary: message.or(summary).map(str::to_owned),
        created: None,
    })
}

/// A failure with the id that the command has told, and with what may be the reason of it.
pub(super) fn failed(failure: Failure, report: &ReportFiles) -> Failure {
    // Why the command failed matters more than that it wrote something else to this file.
    let external_execution_id = report.read_external_id().ok().flatten();
    Failure { external_execution_id, ..failure }
}

/// `12 s`, `2 min 5 s`, `1 h 3 min`: at least a second.
fn spoken(took: Duration) -> String {
    let seconds = took.saturating_add(Duration::from_millis(500)).as_secs().max(1);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The configuration values that have the line ends of Windows.
pub(super) struct LineEnds {
    keys: Vec<String>,
    /// Whether the command's arguments name them. If not, they are in its environment.
    are_in_arguments: bool,
}

impl LineEnds {
    /// Those that `arguments` name, or else all.
    pub(super) fn of(arguments: &[Template], configuration: &Configuration) -> Self {
        let is_windows = |value: &str| value.contains("\r\n") || value.ends_with('\r');
        // The text around the members is JSON, which takes any line ends.
        let has_members = configuration.keys().count() > 1;
        let values = configuration.iter().filter(|(key, _)| !(has_members && *key == USER_PARAMETERS));
        let all: Vec<String> = values.filter(|(_, value)| is_windows(value)).map(|(key, _)| key.to_owned()).collect();
        let is_named = |key: &String| arguments.iter().any(|argument| argument.keys().any(|named| named == key));
        let named: Vec<String> = all.iter().filter(|key| is_named(key)).cloned().collect();
        let are_in_arguments = !named.is_empty();
        Self { keys: if are_in_arguments { named } else { all }, are_in_arguments }
    }

    fn hint(&self) -> Option<String> {
        let (values, them) = match self.keys.as_slice() {
            [] => return None,
            [key] => (format!("the configuration value `{key}` has"), "it"),
            keys => (format!("the configuration values `{}` have", keys.join("`, `")), "them"),
        };
        Some(format!(
            "{values} Windows line ends (CR LF), and most programs take the CR for a part of the text: save {them} with LF alone"
        ))
    }

    /// A failure that also names these values, unless it is the system's.
    pub(super) fn blamed_in(&self, failure: Failure) -> Failure {
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

    #[test]
    fn times_are_spoken_as_people_do() {
        for (milliseconds, expected) in [
            (0, "1 s"),
            (1_499, "1 s"),
            (12_000, "12 s"),
            (59_600, "1 min 0 s"),
            (125_000, "2 min 5 s"),
            (3_780_000, "1 h 3 min"),
        ] {
            assert_eq!(spoken(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_sources_commit_id_is_its_revision() {
        let variables =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let of = |category: &str, pairs: &[(&str, &str)], summary| {
            let [owner, provider, version] = ["Custom", "Git", "1"].map(str::to_owned);
            let action_type = ActionTypeId { category: category.to_owned(), owner, provider, version };
            let revision = committed(&action_type, &variables(pairs), summary)?;
            assert_eq!(revision.revision, revision.change_identifier);
            Some((revision.revision, revision.summary.unwrap_or_default()))
        };
        let commit = ("CommitId", "c0ffee");
        let expected = |summary: &str| Some(("c0ffee".to_owned(), summary.to_owned()));
        assert_eq!(of("Source", &[commit], Some("fix it")), expected("fix it"));
        assert_eq!(of("Source", &[commit, ("CommitMessage", "why")], Some("fix it")), expected("why"));
        assert_eq!(of("Source", &[commit], None), expected(""));
        assert_eq!(of("Build", &[commit], None), None);
        assert_eq!(of("Source", &[("CommitId", "")], None), None);
        assert_eq!(of("Source", &[("CommitId", &"x".repeat(101))], None), None);
        assert_eq!(of("Source", &[], Some("fix it")), None);
    }

    fn line_ends(arguments: &[&str], configuration: &[(&str, &str)]) -> LineEnds {
        let arguments: Vec<_> = arguments.iter().map(|argument| Template::parse(argument).ok().unwrap()).collect();
        LineEnds::of(&arguments, &configuration.iter().copied().collect())
    }

    #[test]
    fn windows_line_ends_are_named_where_they_matter() {
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
    fn a_failure_names_the_values_unless_it_is_the_systems() {
        let message = |kind, values: &[(&str, &str)]| {
            line_ends(&["run"], values).blamed_in(Failure::new(kind, FailureCode::new("Test"), "no")).message
        };
        let one = [("Command", "ls\r\n")];
        let said = "no; the configuration value `Command` has Windows line ends (CR LF), and most programs take the CR for a part of \
                    the text: save it with LF alone";
        assert_eq!(message(FailureKind::JobFailed, &one), said);
        assert_eq!(message(FailureKind::SystemUnavailable, &one), "no");
        assert_eq!(message(FailureKind::JobFailed, &[]), "no");
        let two = message(FailureKind::JobFailed, &[one[0], ("Other", "\r\n")]);
        assert!(
            two.contains("the configuration values `Command`, `Other` have")
                && two.ends_with("save them with LF alone")
        );
    }
}
