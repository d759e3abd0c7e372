//! Input artifacts that are empty, because the actions that make them are skipped.

use super::plan::{Action, BY_ONLY, Plan};
use super::runner::Runner;
use crate::quoted::word;

/// Notes on the empty input artifacts of actions that run.
pub(super) fn notes(plan: &Plan) -> Vec<String> {
    let running = plan.actions().filter(|(_, action)| !matches!(action.runner, Runner::Skipped(_)));
    let inputs = running.flat_map(|(stage, action)| {
        artifacts(action, "inputArtifacts").map(move |input| (format!("{}/{}", stage.name, action.name), input))
    });
    inputs
        .filter_map(|(path, input)| {
            Some(format!("{path}: its input artifact {input} is empty, because {}", why(plan, input)?))
        })
        .collect()
}

/// Names the action that makes the artifact, if it is skipped, and the flag that fills the artifact.
fn why(plan: &Plan, artifact: &str) -> Option<String> {
    let makes_it = |action: &Action| artifacts(action, "outputArtifacts").any(|name| name == artifact);
    let (stage, maker) = plan.actions().find(|(_, action)| makes_it(action))?;
    let Runner::Skipped(by) = maker.runner else { return None };
    let skipped = format!("{}/{} is skipped", stage.name, maker.name);
    if maker.id.category == "Source" && by == BY_ONLY {
        return Some(format!("{skipped}; fill it with --source {}", word(&format!("{}=DIR", maker.name))));
    }
    Some(skipped)
}

/// The names of an action's artifacts in this member.
pub(super) fn artifacts<'a>(action: &'a Action, member: &str) -> impl Iterator<Item = &'a str> {
    let artifacts = action.declaration[member].as_array().into_iter().flatten();
    artifacts.filter_map(|artifact| artifact["name"].as_str())
}
