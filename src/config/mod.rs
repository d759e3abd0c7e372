//! The environment, read once, as plain values. Every mistake is found and reported together.

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

/// All that the worker is told from outside.
pub struct Config {
    /// The action types to serve, in the order given.
    pub actions: Vec<ActionConfig>,
    /// What the worker may use.
    pub settings: Settings,
    /// The names of the Secrets Manager secrets that hold third-party jobs' client tokens, but for the client's id at the end
    /// (`CLIENT_TOKENS_SECRET`, such as `codepipeline/clients/`).
    pub client_tokens: Option<String>,
    /// The bucket of the ledger (`LEDGER_BUCKET`); without one, a job whose worker dies is not looked after.
    pub ledger_bucket: Option<String>,
    /// How much our own code logs (`RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`: one level's name).
    pub log_level: Level,
}

/// One entry of `ACTIONS`.
pub struct ActionConfig {
    /// Which jobs to poll for.
    pub action_type: ActionTypeId,
    /// Poll only for jobs whose configuration has this value under this key. Custom types alone have it.
    pub query_param: Option<(String, String)>,
    /// Configuration keys whose values must not show anywhere; for Lambda Invoke jobs with any, `UserParameters` is among them.
    pub secrets: Vec<String>,
    /// What becomes of a job whose worker died (`onCrash`): by default a command's fails, the others', which are
    /// idempotent by design, run again.
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
    /// With every mistake found, each with the variable or JSON path it is at and the rule it breaks. Values are not
    /// shown: they may be secrets in the wrong place.
    pub fn from_variables(environment: &Environment) -> Result<Self, ConfigError> {
        Self::read(environment, |settings, problems| actions::parse(environment, settings, problems))
    }

    /// The same for a worker that brings action types of its own, so that `ACTIONS` may be left out.
    ///
    /// # Errors
    /// As [`Config::from_variables`].
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
        misspelt::check(environment, &variables, &mut problems);
        problems.into_result(Self { actions: served, settings, client_tokens, ledger_bucket, log_level })
    }
}
