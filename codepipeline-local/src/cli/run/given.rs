//! `--variable NAMESPACE.KEY=VALUE`: the output variables of skipped actions and of git sources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flags::Wanted;
use super::mistake::{Flag, Mistake};
use super::plan::{Action, Plan, Stage};
use super::runner::Runner;
use crate::api::nearest;
use crate::engine::variable_references;
use crate::providers::source;
use crate::quoted::word;

/// The variables of an action, by their keys.
pub(super) type Variables = BTreeMap<String, String>;

/// The names of the output variables of builds, by `STAGE/ACTION`.
type Exported = BTreeMap<String, Vec<String>>;

/// The values for each action, by `STAGE/ACTION`.
pub(super) fn by_action(plan: &Plan, wanted: &Wanted) -> BTreeMap<String, Variables> {
    let mut given: BTreeMap<String, Variables> = BTreeMap::new();
    for (name, value) in &wanted.outputs {
        let Some((namespace, key)) = name.split_once('.') else { continue };
        if let Some((stage, action)) = with_namespace(plan, namespace) {
            let path = format!("{}/{}", stage.name, action.name);
            given.entry(path).or_default().insert(key.to_owned(), value.clone());
        }
    }
    given
}

/// Returns the flags that name no variable of a skipped action or a git source. Returns the variables that other actions need, too, if an
/// action is skipped, or its source or build does not have them.
pub(super) fn mistakes(plan: &Plan, wanted: &Wanted, exported: &Exported) -> Vec<Mistake> {
    let mut mistakes = flags(plan, wanted);
    mistakes.extend(references(plan, wanted, exported));
    mistakes
}

fn flags(plan: &Plan, wanted: &Wanted) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for name in wanted.outputs.keys() {
        let namespace = name.split('.').next().unwrap_or_default();
        match with_namespace(plan, namespace) {
            None => {
                let known = plan.actions().filter_map(|(_, action)| action.declaration["namespace"].as_str());
                let hint = nearest(namespace, known).map_or_else(String::new, |it| format!("; did you mean {it}?"));
                let what = format!("--variable {name}: no action has the namespace {namespace}{hint}");
                mistakes.push(Mistake::new(what));
            }
            Some((stage, action)) if !takes_values(action) => mistakes.push(Mistake::new(format!(
                "--variable {name}: the action {}/{} runs and gives this value; leave the flag out, or skip the action",
                stage.name, action.name
            ))),
            Some((stage, action)) => {
                let key = name.split_once('.').map_or("", |(_, key)| key);
                let why =
                    lacks(action, key).map(|why| format!("--variable {name}: {}/{} {why}", stage.name, action.name));
                mistakes.extend(why.map(Mistake::new));
            }
        }
    }
    mistakes
}

fn references(plan: &Plan, wanted: &Wanted, exported: &Exported) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (stage, action) in plan.actions().filter(|(_, action)| !is_skipped(action)) {
        let texts = texts(&action.declaration);
        for (namespace, key) in texts.iter().flat_map(|text| variable_references(text).unwrap_or_default()) {
            let name = format!("{namespace}.{key}");
            let Some((of_stage, made)) = with_namespace(plan, namespace) else { continue };
            let path = format!("{}/{}", of_stage.name, made.name);
            if let Some(why) = lacks(made, key).or_else(|| does_not_export(made, exported.get(&path)?, key)) {
                let needs = format!("{}/{} needs #{{{name}}}", stage.name, action.name);
                mistakes.push(Mistake::new(format!("{needs}, but {path} {why}")));
                continue;
            }
            if !is_skipped(made) || wanted.outputs.contains_key(&name) {
                continue;
            }
            let what =
                format!("{}/{} needs the variable #{{{name}}} of {path}, which is skipped", stage.name, action.name);
            let source = word(&format!("{}=DIR", made.name));
            let flag = Flag::new(format!("--variable {}", word(&format!("{name}=VALUE"))));
            let is_source = made.id.category == "Source";
            let flag = if is_source { flag.or(format!("--source {source}")) } else { flag };
            mistakes.push(Mistake::missing(&what, flag));
        }
    }
    mistakes
}

/// Whether the user may give the action's variables. In a folder that is no git work tree, those of a git source are made up.
fn takes_values(action: &Action) -> bool {
    is_skipped(action) || matches!(action.runner, Runner::Folder(_))
}

/// Says that a source in a folder does not have this variable. `None` if it has the variable, and for other actions.
fn lacks(action: &Action, key: &str) -> Option<String> {
    let Runner::Folder(_) = action.runner else { return None };
    let known = source::variable_names(&action.id.provider)?;
    let lacks = !known.iter().any(|name| name == key);
    lacks.then(|| format!("has no variable {key}; use one of {}", known.join(", ")))
}

/// Says that a build does not export this variable. `None` if it does.
fn does_not_export(build: &Action, exported: &[String], key: &str) -> Option<String> {
    if exported.iter().any(|name| name == key) {
        return None;
    }
    let (declares, member) = match build.id.provider.as_str() {
        "CodeBuild" => ("its buildspec exports", "env/exported-variables"),
        _ => ("it exports", "its outputVariables"),
    };
    let (names, correct) = match exported {
        [] => ("no variable".to_owned(), ""),
        names => (format!("only {}", names.join(", ")), "correct the name, or "),
    };
    Some(format!("has no variable {key}, because {declares} {names}: {correct}add {key} to {member}"))
}

fn is_skipped(action: &Action) -> bool {
    matches!(action.runner, Runner::Skipped(_))
}

fn with_namespace<'p>(plan: &'p Plan, namespace: &str) -> Option<(&'p Stage, &'p Action)> {
    plan.actions().find(|(_, action)| action.declaration["namespace"] == namespace)
}

/// The texts of an action that may refer to variables.
fn texts(action: &Value) -> Vec<&str> {
    let configuration = action["configuration"].as_object().into_iter().flat_map(|members| members.values());
    let environment =
        action["environmentVariables"].as_array().into_iter().flatten().map(|variable| &variable["value"]);
    let commands = action["commands"].as_array().into_iter().flatten();
    configuration.chain(environment).chain(commands).filter_map(Value::as_str).collect()
}
