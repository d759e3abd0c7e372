//! The stages of a pipeline's declaration, as far as a plan needs them.

use serde_json::Value;

use crate::providers::ActionTypeId;

/// A stage as the pipeline declares it.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) actions: Vec<DeclaredAction>,
}

/// An action as the pipeline declares it. It has no `Debug`, because a configuration may hold secrets.
pub(super) struct DeclaredAction {
    pub(super) name: String,
    pub(super) order: u64,
    pub(super) id: ActionTypeId,
    pub(super) configuration: Value,
    /// All members.
    pub(super) declaration: Value,
}

impl DeclaredAction {
    /// A value of the configuration. Without it, the text is empty.
    pub(super) fn configured(&self, key: &str) -> String {
        text(&self.configuration[key])
    }

    pub(super) fn is_aws(&self, category: &str, provider: &str) -> bool {
        self.id.is_aws(category, provider)
    }
}

/// Reads the stages. A member of the wrong form is empty, because the emulator refuses it later.
pub(super) fn read(declaration: &Value) -> Vec<Declared> {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let action = |action: &Value| {
        let id = &action["actionTypeId"];
        let [category, owner, provider, version] =
            ["category", "owner", "provider", "version"].map(|key| text(&id[key]));
        DeclaredAction {
            name: text(&action["name"]),
            order: action["runOrder"].as_u64().unwrap_or(1),
            id: ActionTypeId { category, owner, provider, version },
            configuration: action["configuration"].clone(),
            declaration: action.clone(),
        }
    };
    let stage = |stage: &Value| Declared {
        name: text(&stage["name"]),
        actions: items(&stage["actions"]).iter().map(action).collect(),
    };
    items(&declaration["stages"]).iter().map(stage).collect()
}

/// The type that an input of `CreateCustomActionType` creates.
pub(super) fn created_type(input: &Value) -> ActionTypeId {
    let [category, provider, version] = ["category", "provider", "version"].map(|key| text(&input[key]));
    ActionTypeId { category, owner: "Custom".to_owned(), provider, version }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
