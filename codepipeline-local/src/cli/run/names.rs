//! Compares the names in flags with those of the pipeline.

use std::collections::BTreeSet;

use super::declared::Declared;
use super::flags::Wanted;
use crate::api::nearest;
use crate::providers::ActionTypeId;
use crate::template::Project;

/// The function that polls for custom actions: the first that no action names.
pub(super) fn polling(stages: &[Declared], project: &Project, wanted: &Wanted) -> Option<String> {
    let invoked: BTreeSet<String> = invoked(stages).filter_map(|name| key_of(name, project, wanted)).collect();
    wanted.functions.keys().find(|name| !invoked.contains(*name)).cloned()
}

/// The names of functions that actions invoke.
pub(super) fn invoked(stages: &[Declared]) -> impl Iterator<Item = &str> {
    let actions = stages.iter().flat_map(|stage| &stage.actions);
    let lambda = actions.filter(|action| action.is_aws("Invoke", "Lambda"));
    lambda.filter_map(|action| action.configuration["FunctionName"].as_str())
}

/// The `--function` for a function's name: the name itself, or the logical id of the template.
pub(super) fn key_of(name: &str, project: &Project, wanted: &Wanted) -> Option<String> {
    let logical_id = project.functions.get(name).map(|function| function.logical_id.as_str());
    let known = |key: &&str| wanted.functions.contains_key(*key);
    [Some(name), logical_id].into_iter().flatten().find(known).map(str::to_owned)
}

/// The flags that name no action, function or type of the pipeline.
pub(super) fn unknown(stages: &[Declared], project: &Project, wanted: &Wanted) -> Vec<String> {
    let actions = || stages.iter().flat_map(|stage| stage.actions.iter().map(move |action| (&stage.name, action)));
    let hint = |key: &str, known: &[String]| match nearest(key, known.iter().map(String::as_str)) {
        Some(known) => format!("; did you mean {known}?"),
        None if known.is_empty() => String::new(),
        None => format!("; it has {}", known.join(", ")),
    };
    let mut problems = Vec::new();
    let sources: Vec<String> =
        actions().filter(|(_, action)| action.id.category == "Source").map(|(_, action)| action.name.clone()).collect();
    for name in wanted.sources.keys().filter(|name| !sources.contains(name)) {
        problems
            .push(format!("--source {name}: the pipeline has no source action of this name{}", hint(name, &sources)));
    }
    let mut names: Vec<String> = actions().map(|(_, action)| action.name.clone()).collect();
    let paths: Vec<String> = actions().map(|(stage, action)| format!("{stage}/{}", action.name)).collect();
    for name in wanted.skipped.iter().filter(|name| !names.contains(name) && !paths.contains(name)) {
        problems.push(format!("--skip {name}: the pipeline has no action of this name{}", hint(name, &names)));
    }
    names = actions().map(|(_, action)| action.id.name()).collect();
    names.sort();
    names.dedup();
    for name in wanted.providers.keys().map(ActionTypeId::name).filter(|name| !names.contains(name)) {
        problems.push(format!("--provider {name}: no action of the pipeline has this type{}", hint(&name, &names)));
    }
    let is_polled = actions().any(|(_, action)| action.id.owner == "Custom");
    let functions: Vec<String> = invoked(stages).map(str::to_owned).collect();
    let used: BTreeSet<String> = functions.iter().filter_map(|name| key_of(name, project, wanted)).collect();
    for name in wanted.functions.keys().filter(|name| !used.contains(*name) && !is_polled) {
        problems.push(format!("--function {name}: no action invokes this function{}", hint(name, &functions)));
    }
    problems
}
