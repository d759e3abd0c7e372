//! An action type that the worker serves: which jobs it polls for and what their work is.

use std::time::Duration;

use secrecy::SecretString;

use super::{Action, BoxedAction};
use crate::job::{ActionTypeId, Job, USER_PARAMETERS};
use crate::redact::SecretName;

/// What becomes of a job whose worker died while it ran the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCrash {
    /// The job fails: the action may have done half of its work.
    Fail,
    /// The action runs again, at most three times: running it twice does the same as running it once.
    Run,
}

/// No invocation has as much time. What is longer still would be beyond what a clock can tell.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long all jobs of one run of an action may take together, at most: 23 hours and 45 minutes. CodePipeline gives a custom
/// action 24 hours from its start. This time counts from the first job, which may be minutes later, and is looked at only when a
/// job comes. A limit of 24 hours would never be reached, and the work would run on.
pub const LONGEST_RUN: Duration = Duration::from_secs(85_500);

/// The secret configuration keys of an owner's jobs, given the `keys` that are said to be. Where any is, a Lambda
/// Invoke job's `UserParameters` are as well: their text holds every value once more.
pub(crate) fn secret_keys(owner: &str, mut keys: Vec<String>) -> Vec<String> {
    if owner == "AWS" && !keys.is_empty() && keys.iter().all(|key| key != USER_PARAMETERS) {
        keys.push(USER_PARAMETERS.to_owned());
    }
    keys
}

/// An action type and how to serve it.
pub struct Served {
    pub(crate) action_type: ActionTypeId,
    pub(crate) query_param: Option<(String, String)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) timeout: Duration,
    /// Time that an invocation keeps free for the job's artifacts, beside `timeout`.
    pub(crate) staging: Duration,
    pub(crate) overall_timeout: Duration,
    pub(crate) alone: bool,
    pub(crate) on_crash: OnCrash,
    pub(crate) shared: bool,
    pub(crate) action: Box<dyn BoxedAction>,
}

impl Served {
    /// Serves `action_type` with `action`, whose turn at a job (one call of `start` or `resume`) is cancelled when it takes
    /// longer than `timeout`. A job is taken only when the invocation has this time left, so more than the 15 minutes that Lambda
    /// gives an invocation is as good as an hour.
    pub fn new(action_type: ActionTypeId, timeout: Duration, action: impl Action) -> Self {
        Self::boxed(action_type, timeout, Box::new(action))
    }

    pub(crate) fn boxed(action_type: ActionTypeId, timeout: Duration, action: Box<dyn BoxedAction>) -> Self {
        Self {
            action_type,
            query_param: None,
            secrets: Vec::new(),
            timeout: timeout.min(LONGEST),
            staging: Duration::ZERO,
            overall_timeout: LONGEST_RUN,
            alone: false,
            on_crash: OnCrash::Fail,
            shared: false,
            action,
        }
    }

    /// The secrets that no report of `job` may show: the values of its secret configuration keys, and the action's own secrets.
    pub(crate) fn secrets_of(&self, job: &Job) -> Vec<(SecretName, SecretString)> {
        // This text holds the values of the other secret keys, so it is in the list without an author's choice. Its lines need not
        // be secret.
        let is_around = |key: &str| key == USER_PARAMETERS && self.secrets.len() > 1 && job.action_type.owner == "AWS";
        let name = |key: &String| match is_around(key) {
            true => SecretName::Text("the whole text of `UserParameters`, which holds a secret"),
            false => SecretName::Key(key.clone()),
        };
        let values = self.secrets.iter().filter_map(|key| Some((name(key), job.configuration.get(key)?.into())));
        let own = self.action.secrets_boxed().into_iter();
        values.chain(own.map(|own| (SecretName::Other("a secret of the worker's own configuration"), own))).collect()
    }

    /// How long all jobs of one run of the action may take together, from when the first was begun, to the second. An
    /// action that would continue after that is stopped ([`Action::stop`]) and its job fails. One that finds its work done
    /// after that still succeeds: the work may have been done in time. The default, and the most, is [`LONGEST_RUN`].
    #[must_use]
    pub fn overall_timeout(mut self, overall: Duration) -> Self {
        self.overall_timeout = overall.min(LONGEST_RUN);
        self
    }

    /// Polls only for jobs whose configuration has `value` under `key`. CodePipeline wants this for a type with a
    /// queryable property and refuses it for others.
    #[must_use]
    pub fn query_param(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query_param = Some((key.into(), value.into()));
        self
    }

    /// Names configuration keys whose values are replaced by `****` in whatever is reported. For Lambda Invoke jobs (owner
    /// `AWS`) any key brings `UserParameters` along.
    #[must_use]
    pub fn secrets<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.secrets = secret_keys(&self.action_type.owner, keys.into_iter().map(Into::into).collect());
        self
    }

    /// Runs a job of this type only when no other job runs in the invocation, and no other beside it.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// What becomes of a job of this type whose worker died while it ran the action. Without this it fails.
    #[must_use]
    pub fn on_crash(mut self, on_crash: OnCrash) -> Self {
        self.on_crash = on_crash;
        self
    }

    /// Says that workers outside this one's ledger poll for the same type: then a job that was claimed and perhaps
    /// acknowledged may be theirs, and is not adopted.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_parameters_are_as_secret_as_any_of_their_members() {
        let keys = |owner: &str, keys: &[&str]| secret_keys(owner, keys.iter().map(|&key| key.to_owned()).collect());
        assert_eq!(keys("AWS", &["ApiToken"]), ["ApiToken", "UserParameters"]);
        assert_eq!(keys("AWS", &["UserParameters"]), ["UserParameters"]);
        assert!(keys("AWS", &[]).is_empty());
        assert_eq!(keys("Custom", &["ApiToken"]), ["ApiToken"]);
    }
}
