//! The configuration of a CodeBuild action.

use std::collections::BTreeMap;

use super::super::buildspec::environment::Value;
use super::super::{Failed, Task};
use super::environment_variables;

/// The property with the variables of the build.
const VARIABLES: &str = "EnvironmentVariables";

/// The configuration. Holds values, so it has no `Debug`.
pub(super) struct Configuration {
    pub(super) project: String,
    /// The name of the input artifact in whose folder the build runs.
    pub(super) primary_source: String,
    pub(super) variables: BTreeMap<String, Value>,
}

/// Reads the configuration of a running action.
pub(super) fn read(task: &Task) -> Result<Configuration, Failed> {
    let configuration = &task.configuration;
    let inputs: Vec<String> = task.inputs.iter().map(|input| input.name.clone()).collect();
    let project = project(configuration)?.to_owned();
    let primary_source = primary_source(configuration, &inputs)?;
    let of_pipeline = task.variables.get(VARIABLES).cloned().unwrap_or_default();
    let read = |text| environment_variables::read(text, &of_pipeline);
    let variables = get(configuration, VARIABLES).map(read).transpose()?;
    Ok(Configuration { project, primary_source, variables: variables.unwrap_or_default() })
}

/// The project's name, for a configuration that does not ask for a batch build.
pub(super) fn project(configuration: &BTreeMap<String, String>) -> Result<&str, Failed> {
    let Some(project) = get(configuration, "ProjectName") else {
        return Err(Failed::configuration("the configuration has no ProjectName: add the name of a CodeBuild project"));
    };
    if get(configuration, "BatchEnabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")) {
        return Err(Failed::configuration(
            "BatchEnabled is true, but codepipeline-local runs no batch builds: remove it, or skip the action",
        ));
    }
    Ok(project)
}

/// The name of the input artifact in whose folder the build runs.
pub(super) fn primary_source(configuration: &BTreeMap<String, String>, inputs: &[String]) -> Result<String, Failed> {
    match (get(configuration, "PrimarySource"), inputs) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Failed::configuration("a CodeBuild action needs an input artifact")),
        (None, _) => Err(Failed::configuration(format!(
            "the action has several input artifacts: add PrimarySource with one of {}",
            inputs.join(", ")
        ))),
    }
}

/// The variables as the pipeline declares them. `None` if they depend on a variable of the pipeline.
pub(super) fn declared_variables(
    configuration: &BTreeMap<String, String>,
) -> Result<Option<BTreeMap<String, Value>>, Failed> {
    get(configuration, VARIABLES).map_or_else(|| Ok(Some(BTreeMap::new())), environment_variables::declared)
}

fn get<'c>(configuration: &'c BTreeMap<String, String>, key: &str) -> Option<&'c str> {
    configuration.get(key).map(String::as_str).filter(|value| !value.is_empty())
}
