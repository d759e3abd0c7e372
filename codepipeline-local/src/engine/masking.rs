//! The secret configuration values of actions, and texts without them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::pipelines::MASK;
use super::state::{
    ActionExecution, ActionTypeId, Configuration, Engine, Execution, ExecutionNumber, ExecutionStatus,
    PipelineDeclaration, is_secret,
};
use super::variables::{PIPELINE_NAMESPACE, references, resolve_text};
use crate::secret_forms::{forms, is_long};

/// Secret texts of at least 4 characters. The longest is masked first, so that a secret within another one leaves no rest.
#[derive(Default)]
pub(crate) struct SecretValues(BTreeSet<(Reverse<usize>, String)>);

impl SecretValues {
    /// Adds the value in all its forms.
    fn add(&mut self, value: &str) {
        if !is_long(value) {
            return;
        }
        self.0.extend(forms(value).map(|form| (Reverse(form.len()), form)));
    }

    /// The text with a mask in the place of each secret.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (_, secret)| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }
}

impl Engine {
    /// The secret configuration values of the actions.
    pub(crate) fn secrets_of<'a>(&self, actions: impl IntoIterator<Item = &'a ActionExecution>) -> SecretValues {
        let mut secrets = SecretValues::default();
        for action in actions {
            self.secret_values(action).for_each(|value| secrets.add(value));
        }
        secrets
    }

    /// The secret configuration values of all actions of an execution, also of those that have not started.
    pub(crate) fn secrets_in(&self, number: ExecutionNumber) -> SecretValues {
        let mut secrets = self.secrets_of(self.actions_in(number));
        if let Some(execution) = self.executions.get(&number) {
            self.add_declared(&mut secrets, execution);
        }
        secrets
    }

    /// The secret configuration values of all actions in progress, and of all actions of the execution of this action.
    pub(crate) fn secrets_around(&self, action: &ActionExecution) -> SecretValues {
        let running = self.running.iter().filter_map(|number| self.actions.get(number));
        let mut secrets = self.secrets_in(action.execution);
        running.flat_map(|action| self.secret_values(action)).for_each(|value| secrets.add(value));
        secrets
    }

    /// The secret configuration values of each execution that has a text in its summary, from the execution `first` on.
    pub(crate) fn secrets_of_summaries_since(&self, first: ExecutionNumber) -> BTreeMap<ExecutionNumber, SecretValues> {
        let with_text =
            |status| matches!(status, ExecutionStatus::Failed | ExecutionStatus::Stopping | ExecutionStatus::Stopped);
        let executions = self.executions.range(first..).filter(|(_, execution)| with_text(execution.status));
        executions.map(|(number, _)| (*number, self.secrets_in(*number))).collect()
    }

    /// Adds the secret values that the execution's pipeline declares, as far as its variables are known, and the variables in them.
    fn add_declared(&self, secrets: &mut SecretValues, execution: &Execution) {
        for value in self.declared_secrets(&execution.declaration) {
            if let Ok(resolved) = resolve_text("", value, &execution.namespaces) {
                secrets.add(&resolved);
            }
            for (namespace, key) in references(value).unwrap_or_default() {
                let known = execution.namespaces.get(namespace).and_then(|keys| keys.get(key));
                known.into_iter().for_each(|known| secrets.add(known));
            }
        }
    }

    /// Whether a secret configuration value of the pipeline refers to its variable of this name.
    pub(crate) fn is_secret_variable(&self, pipeline: &PipelineDeclaration, name: &str) -> bool {
        self.declared_secrets(pipeline)
            .any(|value| references(value).is_ok_and(|found| found.contains(&(PIPELINE_NAMESPACE, name))))
    }

    fn declared_secrets<'a>(&'a self, pipeline: &'a PipelineDeclaration) -> impl Iterator<Item = &'a str> {
        let actions = pipeline.stages.iter().flat_map(|stage| &stage.actions);
        actions.flat_map(|action| self.secrets_among(&action.action_type_id, &action.configuration))
    }

    /// The text without the action's secret configuration values.
    pub(crate) fn without_secrets(&self, action: &ActionExecution, text: &str) -> String {
        self.secrets_of([action]).mask(text)
    }

    fn secret_values<'a>(&self, action: &'a ActionExecution) -> impl Iterator<Item = &'a str> {
        self.secrets_among(&action.declaration.action_type_id, &action.configuration)
    }

    fn secrets_among<'a>(&self, id: &ActionTypeId, values: &'a Configuration) -> impl Iterator<Item = &'a str> {
        let known = self.known_action_type(id);
        values.iter().filter(move |(key, _)| is_secret(known, key)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[&str], text: &str) -> String {
        let mut values = SecretValues::default();
        secrets.iter().for_each(|secret| values.add(secret));
        values.mask(text)
    }

    #[test]
    fn secret_within_a_secret_leaves_no_rest() {
        assert_eq!(mask(&["monk", "monkey-7", "", " "], "a monkey-7 and a monk"), "a **** and a ****");
    }

    #[test]
    fn short_secret_masks_nothing() {
        assert_eq!(mask(&["e", "kip"], "skipped"), "skipped");
    }

    #[test]
    fn secrets_in_json_are_masked() {
        let secret = "quo\"te\\S3 é😀";
        let ascii = r#"{"a": "quo\"te\\S3 \u00e9\ud83d\ude00"}"#;
        for text in [serde_json::json!({"a": secret}).to_string(), ascii.to_owned()] {
            let masked = mask(&[secret], &text).replace(": ", ":");
            assert_eq!(masked, r#"{"a":"****"}"#);
        }
    }

    #[test]
    fn lines_of_a_long_secret_are_masked() {
        let secret = "-----BEGIN KEY-----\nabcdefg\"\n}\n";
        assert_eq!(mask(&[secret], "  abcdefg\" }"), "  **** }");
        assert_eq!(mask(&[secret], r#"{"line":"abcdefg\""}"#), r#"{"line":"****"}"#);
        assert_eq!(mask(&[secret], &format!("x{}", secret.trim())), "x****");
    }
}
