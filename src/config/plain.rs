//! The plain variables: numbers, folders, the log level.

use std::path::{Component, PathBuf};
use std::time::Duration;

use tracing::Level;

use super::variables::{self, Flag, Number, RUST_LOG, is_ours};
use crate::settings::{Environment, Problems, Settings};
use crate::telemetry;

/// A report is one small call; ten seconds are enough for about eight tries.
const REPORTING: Duration = Duration::from_secs(10);

/// A cold start and an answered poll take milliseconds. A poll without an answer ends after 8 s.
const POLLING: Duration = Duration::from_secs(10);

pub(super) fn parse(environment: &Environment, problems: &mut Problems) -> Settings {
    let mut number = |variable: &Number| whole_number(environment, variable, problems);
    let concurrency = usize::try_from(number(&variables::CONCURRENCY)).unwrap_or(usize::MAX);
    let max_unpacked_bytes = number(&variables::MAX_UNPACKED_BYTES);
    let max_entries = number(&variables::MAX_ENTRIES);
    let function_timeout = Duration::from_secs(number(&variables::FUNCTION_TIMEOUT));
    let staging = Duration::from_secs(number(&variables::STAGING_TIMEOUT));
    let min_free_bytes = number(&variables::MIN_FREE_BYTES);
    Settings {
        concurrency,
        max_unpacked_bytes,
        max_entries,
        function_timeout,
        staging,
        min_free_bytes,
        polling: POLLING,
        reporting: REPORTING,
        work_folder: folder(environment, variables::WORK_FOLDER.name, variables::WORK_FOLDER.default, problems),
        clean_tmp: flag(environment, &variables::CLEAN_TMP, problems),
        polls: flag(environment, &variables::POLLING, problems),
        package_folder: folder(environment, "LAMBDA_TASK_ROOT", "/var/task", problems),
    }
}

/// `RUST_LOG` wins over `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging configuration.
pub(super) fn log_level(environment: &Environment, problems: &mut Problems) -> Level {
    for name in [RUST_LOG.name, "AWS_LAMBDA_LOG_LEVEL"] {
        let Some(value) = environment.get(name).filter(|value| !value.trim().is_empty()) else { continue };
        // Lambda says FATAL where tracing says ERROR.
        let value = if value.trim().eq_ignore_ascii_case("fatal") { "error" } else { value };
        if let Some(level) = telemetry::level(value) {
            return level;
        }
        problems.add(name, "must be one of ERROR, WARN, INFO, DEBUG and TRACE; filters by module are not supported");
    }
    Level::INFO
}

/// The rule of `CLIENT_TOKENS_SECRET`.
pub(super) const CLIENT_TOKENS_RULE: &str = "must be set if ACTIONS has a ThirdParty type: the prefix of the names of the secrets \
    that hold client tokens, such as codepipeline/clients/. The client's id follows the prefix";

/// A secret's name has 1 to 512 characters (Secrets Manager, API reference, `CreateSecret`). The client's id takes 36 of them.
pub(super) fn client_tokens(environment: &Environment, problems: &mut Problems) -> Option<String> {
    let name = variables::CLIENT_TOKENS_SECRET.name;
    let prefix = filled(environment, name, problems)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if prefix.len() > 476 || !prefix.chars().all(allowed) {
        problems.add(name, "must be the prefix of a secret's name: at most 476 of [a-zA-Z0-9/_+=.@-]");
    }
    Some(prefix.to_owned())
}

/// The namespace of the metrics; `None` if they are off. A namespace has 1 to 255 characters, and `AWS/` begins those of AWS
/// (CloudWatch, API reference, `PutMetricData`).
pub(super) fn metrics_namespace(environment: &Environment, problems: &mut Problems) -> Option<String> {
    let variables::Text { name, default, .. } = variables::METRICS_NAMESPACE;
    let is_on = flag(environment, &variables::METRICS, problems);
    let namespace = if environment.get(name).is_some() { filled(environment, name, problems)? } else { default };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_/#:".contains(c);
    if namespace.len() > 255
        || !namespace.chars().all(allowed)
        || namespace.starts_with("AWS/")
        || namespace.starts_with(':')
    {
        let rule =
            "must be a CloudWatch namespace: 1 to 255 of [a-zA-Z0-9._/#:-], which does not begin with AWS/ or a colon";
        problems.add(name, rule);
    }
    is_on.then(|| namespace.to_owned())
}

/// The value of the variable `name`. An empty value is a mistake, most often of the script that set it.
pub(super) fn filled<'e>(environment: &'e Environment, name: &str, problems: &mut Problems) -> Option<&'e str> {
    debug_assert!(is_ours(name), "{name} is not in the table of variables");
    let value = environment.get(name)?;
    if value.trim().is_empty() {
        problems.add(name, "is empty: give it a value, or leave the variable out");
        return None;
    }
    Some(value)
}

fn whole_number(environment: &Environment, variable: &Number, problems: &mut Problems) -> u64 {
    let Number { name, unit, default, least, most, .. } = *variable;
    debug_assert!(is_ours(name), "{name} is not in the table of variables");
    let Some(value) = environment.get(name) else { return default };
    match value.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => number,
        _ => {
            let rule = format_args!("must be a whole number from {least} to {most} ({unit}), in digits only");
            problems.add(name, rule);
            default
        }
    }
}

/// The value of a variable that is `true` or `false`.
pub(super) fn flag(environment: &Environment, variable: &Flag, problems: &mut Problems) -> bool {
    debug_assert!(is_ours(variable.name), "{} is not in the table of variables", variable.name);
    match environment.get(variable.name).map(str::trim) {
        None => variable.default,
        Some("true") => true,
        Some("false") => false,
        Some(_) => {
            problems.add(variable.name, "must be true or false, in lower case");
            variable.default
        }
    }
}

fn folder(environment: &Environment, name: &str, default: &str, problems: &mut Problems) -> PathBuf {
    let text = environment.get(name).unwrap_or(default);
    let path = PathBuf::from(text);
    if !path.is_absolute() || path.components().any(|component| component == Component::ParentDir) {
        problems.add(name, "must be an absolute path without '..'");
    } else if text.trim() != text {
        problems.add(name, "must be a path without white space at its ends");
    }
    path
}
