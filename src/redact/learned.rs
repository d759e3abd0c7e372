//! Secrets that become known during a turn.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::SecretName;

/// The secrets that become known during a turn, such as the job's temporary credentials and those that the action learns. All clones
/// share them, so they are known after the action panicked or was cancelled, too.
///
/// # Examples
/// ```
/// use codepipeline_worker::actions::{SecretName, SecretString, Turn};
///
/// fn keep_secret(turn: &Turn, session_key: String) {
///     turn.learned.add(SecretName::Other("the session key of the rollout"), SecretString::from(session_key));
/// }
/// ```
#[derive(Clone, Default)]
pub struct Learned(Arc<Mutex<Vec<(SecretName, SecretString)>>>);

impl Learned {
    /// Adds a secret. The turn's report masks it, and fails if its data holds it.
    pub fn add(&self, name: SecretName, secret: SecretString) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, secret));
    }

    /// All secrets so far.
    pub fn all(&self) -> Vec<(SecretName, SecretString)> {
        self.after(0)
    }

    /// The secrets that were added after the first `number` ones.
    pub fn after(&self, number: usize) -> Vec<(SecretName, SecretString)> {
        let learned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        learned.get(number..).unwrap_or_default().to_vec()
    }
}
