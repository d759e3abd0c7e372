//! Collects mistakes, so that one deployment shows them all.

use std::fmt;

/// Every mistake in the configuration, in the order of discovery.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "the configuration has {count} {noun}")?;
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// Adds, once, that the value at `path` breaks `rule`. The value itself is not shown: it may be a secret in the wrong place.
    pub(crate) fn add(&mut self, path: impl fmt::Display, rule: impl fmt::Display) {
        let problem = format!("{path}: {rule}");
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() { Ok(value) } else { Err(ConfigError { problems: self.0 }) }
    }
}

/// Says that this build of the worker lacks something, and which cargo feature adds it.
pub(crate) fn left_out(what: impl fmt::Display, feature: &str) -> String {
    format!("this worker was built without {what}: enable the cargo feature `{feature}` of codepipeline-worker")
}

/// Says that this build of the worker lacks third-party jobs.
pub(crate) fn third_party_left_out() -> String {
    left_out("third-party actions", "third-party")
}

/// A key as a message may show it: only if it looks like one. A secret in the place of a key is not shown.
pub(crate) fn shown_key(key: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=30).contains(&key.len()) && key.chars().all(plain) { key } else { "(not a plain name)" }
}
