//! The configuration of a CodeBuild action.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::Failed;
use super::super::buildspec::environment::Value;
use super::super::buildspec::secret::Reference;

/// The configuration. Holds values, so it has no `Debug`.
pub(super) struct Configuration {
    pub(super) project: String,
    /// The name of the input artifact in whose folder the build runs.
    pub(super) primary_source: String,
    pub(super) variables: BTreeMap<String, Value>,
}

/// An item of `EnvironmentVariables`.
#[derive(Deserialize)]
struct Item {
    name: String,
    value: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Reads the configuration of an action with these input artifacts.
pub(super) fn read(configuration: &BTreeMap<String, String>, inputs: &[String]) -> Result<Configuration, Failed> {
    let get = |key: &str| configuration.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let Some(project) = get("ProjectName") else {
        return Err(Failed::configuration("the configuration has no ProjectName: add the name of a CodeBuild project"));
    };
    if get("BatchEnabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")) {
        return Err(Failed::configuration(
            "BatchEnabled is true, but codepipeline-local runs no batch builds: remove it, or skip the action",
        ));
    }
    let primary_source = match (get("PrimarySource"), inputs) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => only.clone(),
        (None, []) => return Err(Failed::configuration("a CodeBuild action needs an input artifact")),
        (None, _) => {
            return Err(Failed::configuration(format!(
                "the action has several input artifacts: add PrimarySource with one of {}",
                inputs.join(", ")
            )));
        }
    };
    let variables = get("EnvironmentVariables").map(variables).transpose()?.unwrap_or_default();
    Ok(Configuration { project: project.to_owned(), primary_source, variables })
}

/// A variable as an action or a project declares it. The error says what is wrong, and shows no value.
pub(super) fn variable(name: &str, value: String, kind: &str) -> Result<Value, String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("{name:?} is not a name of a variable: use letters, digits and _"));
    }
    match kind {
        "PLAINTEXT" => Ok(Value::Plain(value)),
        "PARAMETER_STORE" => Ok(Value::Secret(Reference::Parameter(value))),
        "SECRETS_MANAGER" => Ok(Value::Secret(Reference::Secret(value))),
        _ => Err(format!("{name} has the type {kind:?}: write PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER")),
    }
}

fn variables(text: &str) -> Result<BTreeMap<String, Value>, Failed> {
    let items: Vec<Item> = serde_json::from_str(text).map_err(|error| {
        // The error may quote a value, so only its place is shown.
        Failed::configuration(format!(
            "EnvironmentVariables is wrong at its line {} and column {}: write a JSON list of objects, each with the texts name, value and \
             type",
            error.line(),
            error.column()
        ))
    })?;
    let mut variables = BTreeMap::new();
    for Item { name, value, kind } in items {
        let kind = kind.as_deref().unwrap_or("PLAINTEXT");
        let value = variable(&name, value, kind)
            .map_err(|wrong| Failed::configuration(format!("in EnvironmentVariables, {wrong}")))?;
        variables.insert(name, value);
    }
    Ok(variables)
}
