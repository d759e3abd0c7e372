//! Secret values that `get-pipeline` masks. The file does not have them, so the user gives them, or a stand-in takes their place.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::flags::Wanted;
use super::plan::{Action, Plan, Stage};
use super::runner::Runner;
use crate::engine::pipelines::MASK;
use crate::quoted::word;
use crate::template::Pipeline;

/// The value that an action gets for a masked one that the user does not give.
const STAND_IN: &str = "not-in-the-file";
/// The secret of a GitHub source. No pipeline runs without it, and no folder needs it.
const TOKEN_OF_GITHUB: &str = "OAuthToken";

/// The keys of `--secret` that give masked values of this plan.
pub(super) fn keys(plan: &Plan, pipeline: &Pipeline) -> Vec<String> {
    let actions = plan.actions().filter(|_| is_from_api(pipeline));
    actions.flat_map(|(stage, action)| masked(action).map(move |key| secret_key(stage, action, key))).collect()
}

/// Replaces the masked values in a declaration of `get-pipeline`, and adds the token that a GitHub source lacks. Returns notes on the
/// stand-ins that an action may read.
pub(super) fn unmask(declaration: &mut Value, plan: &Plan, pipeline: &Pipeline, wanted: &Wanted) -> Vec<String> {
    let mut notes = Vec::new();
    for (stage, action) in plan.actions().filter(|_| is_from_api(pipeline)) {
        let Some(configuration) = configuration_of(declaration, stage, action) else { continue };
        if action.id.owner == "ThirdParty" && action.id.provider == "GitHub" && configuration.is_object() {
            configuration.as_object_mut().map(|members| members.entry(TOKEN_OF_GITHUB).or_insert(STAND_IN.into()));
        }
        for key in masked(action) {
            let secret = secret_key(stage, action, key);
            let given = wanted.secrets.iter().find(|(known, _)| *known == secret);
            configuration[key] = given.map_or(STAND_IN, |(_, value)| value.expose_secret()).into();
            if given.is_none() && !matches!(action.runner, Runner::Folder(_) | Runner::Skipped(_)) {
                let (stage, action) = (&stage.name, &action.name);
                notes.push(format!(
                    "the file has no value of {stage}/{action}'s secret {key}, so the text {STAND_IN} stands in for it; give it with --secret {}, \
                     where ENV is the name of an environment variable that holds its value",
                    word(&format!("{secret}=ENV"))
                ));
            }
        }
    }
    notes
}

/// Whether the action's value under this key is masked in a pipeline of `get-pipeline`.
pub(super) fn is_masked(pipeline: &Pipeline, action: &Value, key: &str) -> bool {
    is_from_api(pipeline) && action["configuration"][key] == MASK
}

/// Whether the file is the JSON of `get-pipeline`. A template has no masks.
fn is_from_api(pipeline: &Pipeline) -> bool {
    pipeline.logical_id.is_none()
}

/// The keys of the action's configuration whose values are masked. No type of AWS that runs here has secrets.
fn masked(action: &Action) -> impl Iterator<Item = &str> {
    let may_have_secrets = action.id.owner != "AWS" || matches!(action.runner, Runner::StandIn | Runner::Skipped(_));
    let members = action.declaration["configuration"].as_object().filter(|_| may_have_secrets);
    members.into_iter().flatten().filter(|(_, value)| *value == MASK).map(|(key, _)| key.as_str())
}

fn secret_key(stage: &Stage, action: &Action, key: &str) -> String {
    format!("{}/{}.{key}", stage.name, action.name)
}

fn configuration_of<'d>(declaration: &'d mut Value, stage: &Stage, action: &Action) -> Option<&'d mut Value> {
    let find = |list: &'d mut Value, name: &str| list.as_array_mut()?.iter_mut().find(|entry| entry["name"] == name);
    let stage = find(declaration.get_mut("stages")?, &stage.name)?;
    find(stage.get_mut("actions")?, &action.name)?.get_mut("configuration")
}
