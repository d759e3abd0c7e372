//! Reads the environment once, as plain values, and reports all mistakes together.

mod actions;
mod json;
mod ledger;
mod misspelt;
mod plain;
mod run;
#[cfg(test)]
mod tests;
mod variables;

use tracing::Level;

use crate::actions::{Configured, Kind, OnCrash};
use crate::job::ActionTypeId;
use crate::settings::Problems;
pub use crate::settings::{ConfigError, Environment, Settings};

use actions::Actions;
use variables::{ACTIONS, ACTIONS_FILE, CLIENT_TOKENS_SECRET};
pub use variables::{Flag, Number, Text, VARIABLES, Variable};

/// The worker's configuration.
pub struct Config {
    /// The action types to serve, in the order given.
    pub actions: Vec<ActionConfig>,
    /// The limits and folders of the function.
    pub settings: Settings,
    /// The prefix of the names of the Secrets Manager secrets that hold client tokens of third-party jobs. The client's id follows it
    /// (`CLIENT_TOKENS_SECRET`, such as `codepipeline/clients/`).
    pub client_tokens: Option<String>,
    /// The bucket of the ledger (`LEDGER_BUCKET`); without one, no other worker recovers a job after a worker death.
    pub ledger_bucket: Option<String>,
    /// The CloudWatch namespace of the metrics (`METRICS_NAMESPACE`); `None` if they are off (`METRICS`).
    pub metrics_namespace: Option<String>,
    /// The log level of the worker's own code (`RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`: the name of a level).
    pub log_level: Level,
}

/// One entry of `ACTIONS`.
pub struct ActionConfig {
    /// The type of the jobs to poll for.
    pub action_type: ActionTypeId,
    /// The key and the value that the configuration of polled jobs must have. Only custom types have it.
    pub query_param: Option<(String, String)>,
    /// Configuration keys whose values are secret. If a Lambda Invoke entry has any, `UserParameters` is one of them.
    pub secrets: Vec<String>,
    /// Whether a job fails or runs again after a worker death (`onCrash`). The default is the kind's.
    pub on_crash: OnCrash,
    /// Whether workers outside this one's ledger poll for the same type (`shared`).
    pub shared: bool,
    /// The kind of the work.
    pub(crate) kind: &'static Kind,
    /// The action, and how long it may take.
    pub(crate) run: Configured,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Returns an error with every mistake: the variable or JSON path, and the rule. It shows no value, because a value may be a
    /// secret in the wrong place.
    pub fn from_variables(environment: &Environment) -> Result<Self, ConfigError> {
        Self::read(environment, |settings, problems| actions::parse(environment, settings, problems))
    }

    /// Reads the configuration of a worker with action types written in Rust, for which `ACTIONS` is optional.
    ///
    /// # Errors
    /// Returns an error like [`Config::from_variables`].
    pub fn beside_own_actions(environment: &Environment) -> Result<Self, ConfigError> {
        if environment.get(ACTIONS.name).is_some() || environment.get(ACTIONS_FILE.name).is_some() {
            return Self::from_variables(environment);
        }
        Self::read(environment, |_, _| Actions::default())
    }

    fn read(
        environment: &Environment,
        actions: impl FnOnce(&Settings, &mut Problems) -> Actions,
    ) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let settings = plain::parse(environment, &mut problems);
        let log_level = plain::log_level(environment, &mut problems);
        let Actions { served, third_party, variables } = actions(&settings, &mut problems);
        let client_tokens = plain::client_tokens(environment, &mut problems);
        if environment.get(CLIENT_TOKENS_SECRET.name).is_none() && third_party {
            problems.add(CLIENT_TOKENS_SECRET.name, plain::CLIENT_TOKENS_RULE);
        }
        let ledger_bucket = ledger::bucket(environment, &mut problems);
        let metrics_namespace = plain::metrics_namespace(environment, &mut problems);
        misspelt::check(environment, &variables, &mut problems);
        problems.into_result(Self {
            actions: served,
            settings,
            client_tokens,
            ledger_bucket,
            metrics_namespace,
            log_level,
        })
    }
}
