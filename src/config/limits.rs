//! The plain variables: numbers, folders, the log level.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Component, PathBuf};
use std::time::Duration;

use tracing::Level;

use super::Limits;
use super::problems::Problems;
use crate::telemetry;

/// Lambda's longest timeout and, with it, the longest that a command can run.
const LONGEST_FUNCTION: u64 = 900;

/// A report is one small call; ten seconds are room for some eight tries (see `queue/attempts.rs`).
const REPORTING: Duration = Duration::from_secs(10);

/// A cold start takes milliseconds and a poll that is answered as many; one that hangs is given up after 8 s.
const POLLING: Duration = Duration::from_secs(10);

const GIB: u64 = 1 << 30;

/// The names of so many entries still fit into the memory that unpacking may take.
const MOST_ENTRIES: u64 = 10_000_000;

pub(super) fn parse(variable: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Limits {
    let mut number = |name, default, range| whole_number(variable, name, default, range, problems);
    Limits {
        concurrency: usize::try_from(number("CONCURRENCY", 4, 1..=100)).unwrap_or(usize::MAX),
        max_unpacked_bytes: number("MAX_UNPACKED_BYTES", 10 * GIB, 1..=1024 * GIB),
        max_entries: number("MAX_ENTRIES", 100_000, 1..=MOST_ENTRIES),
        function_timeout: Duration::from_secs(number("FUNCTION_TIMEOUT", LONGEST_FUNCTION, 1..=LONGEST_FUNCTION)),
        staging: Duration::from_secs(number("STAGING_TIMEOUT", 60, 1..=LONGEST_FUNCTION)),
        polling: POLLING,
        reporting: REPORTING,
        work_folder: folder(variable, "WORK_FOLDER", problems).unwrap_or_else(|| "/tmp".into()),
        package_folder: folder(variable, "LAMBDA_TASK_ROOT", problems).unwrap_or_else(|| "/var/task".into()),
    }
}

/// `RUST_LOG` wins over `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging configuration.
pub(super) fn log_level(variable: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Level {
    for name in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        let Some(value) = variable(name).filter(|value| !value.trim().is_empty()) else { continue };
        // Lambda's name for what tracing calls ERROR.
        let value = if value.eq_ignore_ascii_case("fatal") { "error".into() } else { value };
        if let Some(level) = telemetry::level(&value) {
            return level;
        }
        problems.add(name, "must be one of ERROR, WARN, INFO, DEBUG and TRACE; filters by module are not taken");
    }
    Level::INFO
}

/// What `CLIENT_TOKENS_SECRET` must be.
pub(super) const CLIENT_TOKENS_RULE: &str = "must be set where a ThirdParty type is served: the names of the secrets that hold \
    client tokens, but for the client's id at their end, such as codepipeline/clients/";

/// Secrets Manager's names are of 1 to 512 characters (its API reference, `CreateSecret`), 36 of them the client's id here.
pub(super) fn client_tokens(variable: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Option<String> {
    let prefix = variable("CLIENT_TOKENS_SECRET").filter(|prefix| !prefix.is_empty())?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if prefix.len() > 476 || !prefix.chars().all(allowed) {
        problems
            .add("CLIENT_TOKENS_SECRET", "must be the beginning of a secret's name: at most 476 of [a-zA-Z0-9/_+=.@-]");
    }
    Some(prefix)
}

fn whole_number(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    default: u64,
    range: RangeInclusive<u64>,
    problems: &mut Problems,
) -> u64 {
    let Some(value) = variable(name) else { return default };
    match value.trim().parse() {
        Ok(number) if range.contains(&number) => number,
        _ => {
            problems.add(name, format_args!("must be a whole number from {} to {}", range.start(), range.end()));
            default
        }
    }
}

fn folder(
    variable: &impl Fn(&str) -> Option<String>,
    name: impl Display + AsRef<str>,
    problems: &mut Problems,
) -> Option<PathBuf> {
    let path = PathBuf::from(variable(name.as_ref())?);
    if path.is_absolute() && path.components().all(|component| component != Component::ParentDir) {
        return Some(path);
    }
    problems.add(name, "must be an absolute path without '..'");
    None
}
