//! An action type that the worker serves: its jobs and their work.

use std::time::Duration;

use secrecy::SecretString;

use super::{Action, BoxedAction};
use crate::job::{ActionTypeId, Job, USER_PARAMETERS};
use crate::redact::SecretName;

/// The end of a job whose worker died while the action ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCrash {
    /// The job fails: the action may have done half of its work.
    Fail,
    /// The action runs again, at most three times: running it twice does the same as running it once.
    Run,
}

/// No invocation has this much time. A much longer timeout would overflow a clock.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The most time for all jobs of one run of an action together: 23 hours and 45 minutes. CodePipeline gives a custom action 24 hours
/// from its start. The worker counts from the first job, which may come minutes later, and checks the time only when a job comes.
/// With a limit of 24 hours CodePipeline would end the action first, and the work would continue.
pub const LONGEST_RUN: Duration = Duration::from_secs(85_500);

/// Completes the secret configuration `keys` of an owner's jobs. If a Lambda Invoke job has any, `UserParameters` is secret too,
/// because its text holds all values.
pub(crate) fn secret_keys(owner: &str, mut keys: Vec<String>) -> Vec<String> {
    if owner == "AWS" && !keys.is_empty() && keys.iter().all(|key| key != USER_PARAMETERS) {
        keys.push(USER_PARAMETERS.to_owned());
    }
    keys
}

/// An action type and how to serve it.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use codepipeline_worker::actions::{Action, OnCrash, Served};
/// use codepipeline_worker::job::ActionTypeId;
/// # use codepipeline_worker::actions::Turn;
/// # use codepipeline_worker::job::{Failure, Outcome};
/// # struct Rollout;
/// # impl Action for Rollout {
/// #     async fn start(&self, _: Turn) -> Result<Outcome, Failure> { std::future::pending().await }
/// # }
///
/// let [category, owner, provider, version] = ["Deploy", "Custom", "Rollout", "1"].map(str::to_owned);
/// let action_type = ActionTypeId { category, owner, provider, version };
/// let served = Served::new(action_type, Duration::from_secs(30), Rollout)
///     // The value of the key `ApiToken` appears in no report and in no line of `Turn::log`.
///     .secrets(["ApiToken"])
///     // All jobs of one run together may take two hours.
///     .overall_timeout(Duration::from_secs(2 * 60 * 60))
///     // A second start with the same id does nothing, so the job may run again after a worker death.
///     .on_crash(OnCrash::Run);
/// ```
pub struct Served {
    pub(crate) action_type: ActionTypeId,
    pub(crate) query_param: Option<(String, String)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) timeout: Duration,
    /// The time that an invocation keeps free for the job's artifacts, in addition to `timeout`.
    pub(crate) staging: Duration,
    pub(crate) overall_timeout: Duration,
    pub(crate) alone: bool,
    pub(crate) on_crash: OnCrash,
    pub(crate) shared: bool,
    pub(crate) action: Box<dyn BoxedAction>,
}

impl Served {
    /// Serves `action_type` with `action`. The worker cancels a turn (one call of `start` or `resume`) after `timeout`. It claims a job
    /// only if the invocation has this time left, so a timeout of more than Lambda's 15 minutes means that no job is claimed.
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

    /// Sets how long all jobs of one run of the action may take together, from the start of the first. If the action would continue
    /// after that, the worker stops it ([`Action::stop`]) and its job fails. If the work has ended by then, the job succeeds. The
    /// default, and the most, is [`LONGEST_RUN`].
    #[must_use]
    pub fn overall_timeout(mut self, overall: Duration) -> Self {
        self.overall_timeout = overall.min(LONGEST_RUN);
        self
    }

    /// Polls only for jobs whose configuration has `value` for `key`. CodePipeline requires this for a type with a queryable
    /// property, and refuses it for others.
    #[must_use]
    pub fn query_param(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query_param = Some((key.into(), value.into()));
        self
    }

    /// Names configuration keys whose values are secret: reports show `****` in their place. For Lambda Invoke jobs (owner `AWS`),
    /// `UserParameters` is then secret too.
    #[must_use]
    pub fn secrets<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.secrets = secret_keys(&self.action_type.owner, keys.into_iter().map(Into::into).collect());
        self
    }

    /// Runs each job of this type alone in its invocation.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Sets whether a job of this type fails or runs again after a worker death. The default is [`OnCrash::Fail`].
    #[must_use]
    pub fn on_crash(mut self, on_crash: OnCrash) -> Self {
        self.on_crash = on_crash;
        self
    }

    /// Says that workers outside this worker's ledger poll for the same type. The worker then adopts no job that was only claimed,
    /// because another worker may have acknowledged it.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Never;

    impl Action for Never {
        async fn start(&self, _: crate::actions::Turn) -> Result<crate::job::Outcome, crate::job::Failure> {
            std::future::pending().await
        }
    }

    #[test]
    fn run_ends_before_codepipeline_ends_its_action() {
        let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
        let action_type = ActionTypeId { category, owner, provider, version };
        for (seconds, expected) in [(7200, 7200), (85_501, 85_500), (86_400, 85_500)] {
            let served = Served::new(action_type.clone(), Duration::from_secs(1), Never);
            assert_eq!(served.overall_timeout(Duration::from_secs(seconds)).overall_timeout.as_secs(), expected);
        }
    }

    #[test]
    fn user_parameters_are_as_secret_as_any_of_their_members() {
        let keys = |owner: &str, keys: &[&str]| secret_keys(owner, keys.iter().map(|&key| key.to_owned()).collect());
        assert_eq!(keys("AWS", &["ApiToken"]), ["ApiToken", "UserParameters"]);
        assert_eq!(keys("AWS", &["UserParameters"]), ["UserParameters"]);
        assert!(keys("AWS", &[]).is_empty());
        assert_eq!(keys("Custom", &["ApiToken"]), ["ApiToken"]);
    }
}
