//! A kind of action, which `run` in an entry of `ACTIONS` names. Each kind is one folder next to this file.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use serde_json::{Map, Value};

use super::{Action, BoxedAction, LONGEST_RUN, OnCrash};
use crate::event::EndOfWork;
use crate::settings::{Environment, Problems, Settings, only_known};

/// The facts that all actions of a kind share.
pub(crate) struct Kind {
    /// The member of `run` that configures an action of this kind.
    pub(crate) name: &'static str,
    /// Whether a job of this kind runs alone in its invocation.
    pub(crate) runs_alone: bool,
    /// The default for `onCrash`: whether a job fails or runs again after a worker death.
    pub(crate) on_crash: OnCrash,
    /// The members that an entry may have only if it is of this kind.
    pub(crate) own_members: &'static [&'static str],
    /// The event that reports the end of work of this kind, if its service sends one.
    pub(crate) end_of_work: Option<EndOfWork>,
    /// Parses the member of `run`. Reports every mistake in it, and gives nothing if there is one.
    pub(crate) parse: fn(&mut Part<'_>) -> Option<Configured>,
}

/// The part of an entry of `ACTIONS` that a kind parses, with the rest that it needs.
pub(crate) struct Part<'a> {
    /// The JSON path of the entry, such as `ACTIONS[0]`.
    pub(crate) entry: &'a str,
    /// The JSON path of the part, such as `ACTIONS[0].run.command`.
    pub(crate) path: &'a str,
    /// The member of `run`.
    pub(crate) value: &'a Value,
    /// The entry's `timeoutSeconds`.
    pub(crate) timeout: Option<&'a Value>,
    /// The members of the entry. A kind reads its [`Kind::own_members`].
    pub(crate) members: &'a Map<String, Value>,
    /// Whether strangers configure the jobs: the owner is `ThirdParty`.
    pub(crate) is_third_party: bool,
    /// The entry's secret configuration keys.
    pub(crate) secrets: &'a [String],
    /// How long the function has.
    pub(crate) settings: &'a Settings,
    /// The function's environment.
    pub(crate) environment: &'a Environment,
    /// The variables that entries name, such as `secretVariable`. They are not misspelt variables of the worker.
    pub(crate) variables: &'a mut Vec<String>,
    /// The mistakes found so far.
    pub(crate) problems: &'a mut Problems,
}

impl Part<'_> {
    /// Reports that the value at `member` breaks `rule`. `member` follows the part's path: `.url`, `[0]`, or nothing.
    pub(crate) fn mistake(&mut self, member: impl fmt::Display, rule: impl fmt::Display) {
        self.problems.add(format_args!("{}{member}", self.path), rule);
    }

    /// Reports that the entry's `timeoutSeconds` breaks `rule`.
    pub(crate) fn wrong_timeout(&mut self, rule: impl fmt::Display) {
        self.problems.add(format_args!("{}.timeoutSeconds", self.entry), rule);
    }

    /// Reports that the entry's own member `name` breaks `rule`.
    pub(crate) fn wrong_member(&mut self, name: &str, rule: impl fmt::Display) {
        self.problems.add(format_args!("{}.{name}", self.entry), rule);
    }
}

#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only http is configured with an object"))]
impl<'a> Part<'a> {
    /// Reports each member that is not one of `known`.
    pub(crate) fn only_known(&mut self, members: &Map<String, Value>, known: &[&str]) {
        only_known(members, self.path, known, self.problems);
    }

    /// The value of the environment variable `name`, which the part names.
    pub(crate) fn variable(&mut self, name: &str) -> Option<&'a str> {
        self.variables.push(name.to_owned());
        self.environment.get(name)
    }
}

/// The action that an entry configures.
pub(crate) struct Configured {
    /// How long one turn at a job may take.
    pub(crate) turn: Duration,
    /// How long all jobs of one run of the action may take together, as configured. [`Served::overall_timeout`] lowers it.
    ///
    /// [`Served::overall_timeout`]: super::Served::overall_timeout
    pub(crate) overall: Duration,
    /// The resource that runs the work, as the kind's [`EndOfWork`] names it.
    pub(crate) waits_for: Option<String>,
    /// Makes the action, and its client, once the AWS SDK's configuration is loaded.
    pub(crate) make: Make,
}

/// Makes an action and its client.
pub(crate) type Make = Box<dyn FnOnce(&SdkConfig) -> Box<dyn BoxedAction> + Send + Sync>;

impl Configured {
    /// An action that `make` makes, with `turn` for each of its turns.
    pub(crate) fn new<A: Action>(turn: Duration, make: impl FnOnce(&SdkConfig) -> A + Send + Sync + 'static) -> Self {
        let make = Box::new(|sdk_config: &SdkConfig| Box::new(make(sdk_config)) as Box<dyn BoxedAction>);
        Self { turn, overall: LONGEST_RUN, waits_for: None, make }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A part of an entry for a test to parse.
    pub(crate) struct Sample<'a> {
        pub(crate) value: Value,
        pub(crate) timeout: Option<Value>,
        pub(crate) members: Map<String, Value>,
        pub(crate) is_third_party: bool,
        pub(crate) secrets: &'a [&'a str],
        pub(crate) variables: &'a [(&'a str, &'a str)],
        pub(crate) settings: Settings,
    }

    impl Sample<'_> {
        /// A part without secrets and variables, for a function with every default.
        pub(crate) fn of(value: Value) -> Self {
            let settings = Settings::of_tests();
            let (timeout, members, is_third_party) = (None, Map::new(), false);
            Self { value, timeout, members, is_third_party, secrets: &[], variables: &[], settings }
        }

        /// The same part, in an entry with another member.
        pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
            self.members.insert(name.to_owned(), value);
            self
        }

        /// Parses the part. The error is the message about all mistakes.
        pub(crate) fn parse(&self, kind: &Kind) -> Result<Configured, String> {
            let configured = self.parse_part(kind.parse)?;
            Ok(configured.expect("an action where there is no mistake"))
        }

        /// Parses with `parse`. The error is the message about all mistakes.
        pub(crate) fn parse_part<T>(&self, parse: impl FnOnce(&mut Part<'_>) -> T) -> Result<T, String> {
            let secrets: Vec<_> = self.secrets.iter().map(|&key| key.to_owned()).collect();
            let environment = self.variables.iter().copied().collect();
            let mut problems = Problems::default();
            let mut part = Part {
                entry: "entry",
                path: "part",
                value: &self.value,
                timeout: self.timeout.as_ref(),
                members: &self.members,
                is_third_party: self.is_third_party,
                secrets: &secrets,
                settings: &self.settings,
                environment: &environment,
                variables: &mut Vec::new(),
                problems: &mut problems,
            };
            let parsed = parse(&mut part);
            problems
                .into_result(Some(parsed))
                .map_err(|error| error.to_string())
                .map(|parsed| parsed.expect("just given"))
        }

        /// The message about the mistakes in the part.
        pub(crate) fn mistakes(&self, kind: &Kind) -> String {
            self.parse(kind).err().unwrap_or_else(|| panic!("no mistake was found in {}", self.value))
        }
    }
}
