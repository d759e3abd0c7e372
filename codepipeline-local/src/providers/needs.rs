//! The secrets that an action needs from the user, before it runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret;

use super::Secrets;
use super::buildspec::environment::{self, Value};
use super::buildspec::secret::Missing;

/// The secrets of a build.
#[derive(Default)]
pub(crate) struct Needs {
    /// Those that no `--secret` gives.
    pub(crate) missing: Vec<Missing>,
    /// All keys of `--secret` that the build asks for.
    pub(crate) asked: BTreeSet<String>,
}

impl Needs {
    /// Reads the variables. Later layers replace earlier ones. Leaves out those whose secret a variable of the pipeline names.
    pub(super) fn of(layers: Vec<BTreeMap<String, Value>>, secrets: &Secrets) -> Self {
        let asked = RefCell::new(BTreeSet::new());
        let find = |key: &str| {
            asked.borrow_mut().insert(key.to_owned());
            secrets.get(key).map(|secret| secret.expose_secret().to_owned())
        };
        let mut combined: BTreeMap<String, Value> = layers.into_iter().flatten().collect();
        combined.retain(|_, value| !matches!(value, Value::Secret(reference) if reference.is_open()));
        let missing = environment::resolve([combined], find).err().unwrap_or_default();
        Self { missing, asked: asked.into_inner() }
    }
}
