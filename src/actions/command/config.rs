//! The kind `command`, and how its part of an entry of `ACTIONS` is read.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::role::{ASSUMING, Role, RoleArn};
use super::{CommandAction, ENDING, LogOutput};
use crate::actions::OnCrash;
use crate::actions::kind::{Configured, Kind, Part};
use crate::placeholder::Template;
use crate::settings::whole_seconds;

const ROLE: &str = "role";
const LOG_OUTPUT: &str = "logOutput";

/// A command runs alone, because it may use all of the machine. It may have done half of its work at a worker death, so its job
/// fails then.
pub(crate) const KIND: Kind = Kind {
    name: "command",
    runs_alone: true,
    on_crash: OnCrash::Fail,
    own_members: &[ROLE, LOG_OUTPUT],
    end_of_work: None,
    parse,
};

/// Why a configured command is invalid.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CommandMistake {
    /// No program.
    #[error("the command is empty; its first element is the program to run")]
    Empty,
    /// An argument that every process of the machine could read.
    #[error(
        "names `{{Config:{key}}}`, which is in `secrets`{}; other processes can read arguments, so use the environment variable \
         CONFIG_… instead",
        if key == "UserParameters" { " (as UserParameters is wherever one of its members is)" } else { "" }
    )]
    SecretArgument {
        /// The element of the command, from 0, as in its JSON path.
        index: usize,
        /// The secret's key.
        key: String,
    },
}

impl CommandMistake {
    /// Its place in the command, as it follows the JSON path.
    fn place(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::SecretArgument { index, .. } => format!("[{index}]"),
        }
    }
}

/// Every mistake in the command's element `index`. `secrets` are the keys whose values no argument may hold.
pub(super) fn mistakes(index: usize, argument: &Template, secrets: &[String]) -> Vec<CommandMistake> {
    let empty = (index == 0 && argument.literal() == Some("")).then_some(CommandMistake::Empty);
    let secret = argument.keys().filter(|key| secrets.iter().any(|secret| secret == key));
    let secret = secret.map(|key| CommandMistake::SecretArgument { index, key: key.to_owned() });
    empty.into_iter().chain(secret).collect()
}

fn parse(part: &mut Part<'_>) -> Option<Configured> {
    let assuming = if part.members.contains_key(ROLE) { ASSUMING } else { Duration::ZERO };
    let timeout = timeout(part, assuming);
    let role = role(part);
    let log_output = log_output(part);
    let arguments = arguments(part)?;
    let package = part.settings.package_folder.clone();
    let action = CommandAction::new(arguments, part.secrets, timeout, package);
    let action = action.map_err(|mistake| part.mistake(mistake.place(), mistake)).ok()?;
    let role = role?;
    Some(Configured::new(timeout.saturating_add(assuming + ENDING), move |sdk_config| {
        let role = role.map(|arn| Role::new(sdk_config, arn));
        action.in_region(sdk_config.region().map(ToString::to_string)).with_role(role).logging(log_output)
    }))
}

/// `logOutput`. By default strangers' output is not logged: it belongs to them, and they may not know that others read it.
fn log_output(part: &mut Part<'_>) -> LogOutput {
    match part.members.get(LOG_OUTPUT).map(Value::as_str) {
        Some(Some("all")) => LogOutput::All,
        Some(Some("failure")) => LogOutput::Failure,
        Some(Some("none")) => LogOutput::None,
        None if part.is_third_party => LogOutput::None,
        None => LogOutput::All,
        Some(_) => {
            part.wrong_member(LOG_OUTPUT, "must be one of all, failure, none");
            LogOutput::None
        }
    }
}

/// `role`, if the entry has one; nothing if it has a mistake.
fn role(part: &mut Part<'_>) -> Option<Option<RoleArn>> {
    let Some(value) = part.members.get(ROLE) else { return Some(None) };
    if part.is_third_party {
        part.wrong_member(
            ROLE,
            "is not for the owner ThirdParty: strangers configure these jobs, and the command would act for them with this account's role",
        );
    }
    let Some(text) = value.as_str() else {
        part.wrong_member(ROLE, "must be a string: the ARN of the role that the command's credentials come from");
        return None;
    };
    RoleArn::parse(text).map(Some).map_err(|mistake| part.wrong_member(ROLE, mistake)).ok()
}

/// `timeoutSeconds`, or what the function's timeout leaves. A command runs within one invocation, so its time, staging and the
/// report must fit into that timeout. `assuming` is the time for the command's role.
fn timeout(part: &mut Part<'_>, assuming: Duration) -> Duration {
    let settings = part.settings;
    let beside = settings.polling + settings.staging + assuming + ENDING + settings.reporting;
    let longest = settings.function_timeout.saturating_sub(beside).as_secs();
    let seconds = whole_seconds(part.timeout, longest.max(1)).unwrap_or(0);
    if seconds == 0 {
        part.wrong_timeout("must be a whole number of seconds, 1 or more");
    } else if seconds > longest {
        let (function, beside) = (settings.function_timeout.as_secs(), beside.as_secs());
        let (what, lower) = match part.timeout {
            Some(_) => (format!("is {seconds}"), "lower timeoutSeconds, "),
            None => ("a command needs at least 1 s".to_owned(), ""),
        };
        let role = if assuming.is_zero() { "" } else { "assuming the role, " };
        part.wrong_timeout(format_args!(
            "{what}, but a function with a timeout of {function} s (FUNCTION_TIMEOUT) leaves {longest} s: \
             polling, staging (STAGING_TIMEOUT), {role}ending and reporting need {beside} s; {lower}lower \
             STAGING_TIMEOUT or raise FUNCTION_TIMEOUT"
        ));
    }
    Duration::from_secs(seconds)
}

fn arguments(part: &mut Part<'_>) -> Option<Vec<Template>> {
    let Some(arguments) = part.value.as_array() else {
        part.mistake("", "must be an array of strings: the program and its arguments");
        return None;
    };
    let mut templates = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let at = format!("[{index}]");
        match argument.as_str().map(Template::parse_all) {
            Some(Ok(template)) => {
                for mistake in mistakes(index, &template, part.secrets) {
                    part.mistake(mistake.place(), mistake);
                }
                templates.push(template);
            }
            Some(Err(mistakes)) => mistakes.into_iter().for_each(|mistake| part.mistake(&at, mistake)),
            None => part.mistake(at, "must be a string"),
        }
    }
    (templates.len() == arguments.len()).then_some(templates)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::actions::kind::tests::Sample;

    fn mistakes(value: Value) -> String {
        Sample { secrets: &["ApiToken"], ..Sample::of(value) }.mistakes(&KIND)
    }

    #[test]
    fn turn_includes_the_time_to_begin_and_to_end() {
        let sample = |timeout| Sample { timeout, ..Sample::of(json!(["bash", "{Config:Command}"])) };
        assert_eq!(sample(Some(json!(600))).parse(&KIND).ok().unwrap().turn, Duration::from_secs(607));
    }

    #[test]
    fn command_has_by_default_what_the_function_leaves() {
        let role = json!("arn:aws:iam::111122223333:role/deploy");
        let plain = || Sample::of(json!(["make"]));
        for (function, mut sample, turn) in
            [(900, plain(), 820), (900, plain().with(ROLE, role), 820), (88, plain(), 8)]
        {
            sample.settings.function_timeout = Duration::from_secs(function);
            assert_eq!(sample.parse(&KIND).ok().unwrap().turn, Duration::from_secs(turn), "{function}");
        }
    }

    #[test]
    fn role_needs_time_of_its_own() {
        let role = json!("arn:aws:iam::111122223333:role/deploy");
        let sample =
            |seconds| Sample { timeout: Some(json!(seconds)), ..Sample::of(json!(["make"])) }.with(ROLE, role.clone());
        assert_eq!(sample(803).parse(&KIND).ok().unwrap().turn, Duration::from_secs(820));
        let message = sample(804).mistakes(&KIND);
        assert!(
            message.contains("leaves 803 s: polling, staging (STAGING_TIMEOUT), assuming the role, ending"),
            "{message}"
        );
    }

    #[test]
    fn output_of_strangers_is_not_logged_by_default() {
        let logged = |value: Option<Value>, is_third_party| {
            let sample = Sample { is_third_party, ..Sample::of(json!(["make"])) };
            value.into_iter().fold(sample, |sample, value| sample.with(LOG_OUTPUT, value)).parse_part(log_output)
        };
        assert_eq!(logged(None, false), Ok(LogOutput::All));
        assert_eq!(logged(None, true), Ok(LogOutput::None));
        for is_third_party in [false, true] {
            assert_eq!(logged(Some(json!("all")), is_third_party), Ok(LogOutput::All));
            assert_eq!(logged(Some(json!("failure")), is_third_party), Ok(LogOutput::Failure));
            assert_eq!(logged(Some(json!("none")), is_third_party), Ok(LogOutput::None));
        }
        for wrong in [json!("s3cr3t"), json!(true), json!(null)] {
            let said = logged(Some(wrong), false).unwrap_err();
            assert!(said.ends_with("1 mistake: entry.logOutput: must be one of all, failure, none"), "{said}");
        }
    }

    #[test]
    fn only_the_arn_of_a_role_is_taken() {
        let mistakes = |role| Sample::of(json!(["make"])).with(ROLE, role).mistakes(&KIND);
        let message = mistakes(json!(["arn:aws:iam::111122223333:role/deploy"]));
        assert!(message.contains("1 mistake: entry.role: must be a string"), "{message}");
        let message = mistakes(json!("deploy"));
        assert!(message.contains("1 mistake: entry.role: must be the ARN of an IAM role"), "{message}");
    }

    #[test]
    fn command_that_could_never_be_claimed_is_refused() {
        let sample = |timeout, function| {
            let mut sample = Sample { timeout, ..Sample::of(json!(["make"])) };
            sample.settings.function_timeout = Duration::from_secs(function);
            sample.mistakes(&KIND)
        };
        let message = sample(Some(json!(895)), 900);
        assert!(message.contains("entry.timeoutSeconds: is 895, but a function with a timeout of 900 s"), "{message}");
        assert!(message.contains("; lower timeoutSeconds, lower STAGING_TIMEOUT"), "{message}");
        let message = sample(None, 87);
        let needs = "a command needs at least 1 s, but a function with a timeout of 87 s (FUNCTION_TIMEOUT) leaves 0 s";
        assert!(message.contains(needs) && !message.contains("lower timeoutSeconds"), "{message}");
        assert!(message.contains("; lower STAGING_TIMEOUT or raise FUNCTION_TIMEOUT"), "{message}");
        assert!(sample(Some(json!(0)), 900).contains("entry.timeoutSeconds: must be a whole number"));
        assert!(sample(Some(json!(u64::MAX)), 900).contains("entry.timeoutSeconds: is 18446744073709551615, but"));
    }

    #[test]
    fn secret_may_not_be_an_argument() {
        let message = mistakes(json!(["curl", "-H", "Authorization: {Config:ApiToken}"]));
        let expected = "the configuration has 1 mistake: part[2]: names `{Config:ApiToken}`, which is in";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn every_mistake_in_the_arguments_is_reported() {
        let message = mistakes(json!(["", "{Config:", 7, "{Config:ApiToken}"]));
        for part in
            ["part: the command is empty", "part[1]: the placeholder", "part[2]: must be a string", "part[3]: names"]
        {
            assert!(message.contains(part), "'{part}' is missing in: {message}");
        }
        assert!(mistakes(json!("make")).contains("part: must be an array of strings"));
        assert!(mistakes(json!([])).contains("part: the command is empty"));
    }
}
