//! Checks the buildspecs and the secrets of builds before a run.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::flags::Wanted;
use super::inputs::artifacts;
use super::mistake::{Flag, Mistake};
use super::plan::{Action, Plan};
use super::provided::build_project;
use super::runner::Runner;
use crate::providers::source::SourceFolder;
use crate::providers::{CheckedBuild, Commands, DeclaredBuild, Project as BuildProject, Secrets};
use crate::quoted::word;
use crate::template::Project;

/// The mistakes of a plan's builds, and notes on them.
#[derive(Default)]
pub(super) struct Builds {
    pub(super) mistakes: Vec<Mistake>,
    /// Notes on members of a buildspec that have no effect. A build shows them, too.
    pub(super) ignored: Vec<String>,
    /// Notes on secrets that no action needs.
    pub(super) unused: Vec<String>,
    /// The output variables of the builds where they are known, by `STAGE/ACTION`.
    pub(super) exported: BTreeMap<String, Vec<String>>,
}

/// Checks the CodeBuild and Commands actions that run. A buildspec is known if the template has it, or if a folder stands for its source.
/// `configured` has the keys of the secrets that configurations need.
pub(super) async fn check(plan: &Plan, project: &Project, wanted: &Wanted, configured: Vec<String>) -> Builds {
    let secrets = wanted.all_secrets();
    let mut builds = Builds::default();
    let mut asked = BTreeSet::from_iter(configured);
    let mut all_known = true;
    for (stage, action) in plan.actions() {
        let checked = match (&action.runner, action.id.provider.as_str()) {
            (Runner::Emulator(_), "CodeBuild") => of_build(plan, action, project, &secrets).await,
            (Runner::Emulator(_), "Commands") => of_commands(action, &secrets),
            // It may ask for any secret.
            (Runner::StandIn, _) => CheckedBuild::default(),
            _ => continue,
        };
        let path = format!("{}/{}", stage.name, action.name);
        let mistakes = checked.mistakes.iter().map(|what| Mistake::new(format!("{path}: {what}")));
        builds.mistakes.extend(mistakes);
        let missing = checked.needs.missing.iter();
        let missing = missing
            .map(|missing| Mistake { text: format!("{path}: {missing}"), flag: Some(Flag::new(missing.flag())) });
        builds.mistakes.extend(missing);
        builds.ignored.extend(checked.notes);
        if checked.stores_nothing {
            builds.mistakes.extend(unstored(plan, &path, action).map(Mistake::new));
        }
        builds.exported.extend(checked.exported.map(|names| (path, names)));
        all_known &= checked.is_complete;
        asked.extend(checked.needs.asked);
    }
    if all_known {
        let unused = wanted.secret_keys().filter(|key| !asked.contains(*key));
        let note = |key: &str| format!("--secret {}: no build needs it, so it is only masked in the output", word(key));
        builds.unused.extend(unused.map(note));
    }
    builds.ignored.dedup();
    builds
}

async fn of_build(plan: &Plan, action: &Action, project: &Project, secrets: &Secrets) -> CheckedBuild {
    let configuration: BTreeMap<String, String> = read(&action.declaration["configuration"]);
    let (inputs, outputs) = (names(action, "inputArtifacts"), names(action, "outputArtifacts"));
    let declared = DeclaredBuild { configuration: &configuration, inputs: &inputs, outputs: &outputs };
    let name = configuration.get("ProjectName").map(String::as_str).unwrap_or_default();
    let build = match project.code_build.get(name) {
        // The start of the run shows what is wrong in a project.
        Some(known) => Some(build_project(name, known).unwrap_or_default()),
        None if name.is_empty() || name.contains("#{") => None,
        None => Some(BuildProject::default()),
    };
    let source = declared.primary_source().and_then(|artifact| folder_of(plan, &artifact));
    let mut checked = declared.check(build.as_ref(), source, secrets).await;
    if checked.lacks_buildspec && !project.code_build.contains_key(name) {
        let note =
            format!("; the file does not define the CodeBuild project {name}, so its buildspec is buildspec.yml");
        checked.mistakes.last_mut().into_iter().for_each(|mistake| mistake.push_str(&note));
    }
    checked
}

fn of_commands(action: &Action, secrets: &Secrets) -> CheckedBuild {
    let needs = Commands::needs(&read::<Vec<_>>(&action.declaration["environmentVariables"]), secrets);
    let exported = Some(read(&action.declaration["outputVariables"]));
    CheckedBuild { needs, is_complete: true, exported, ..CheckedBuild::default() }
}

/// The mistake that an action reads an output artifact of this build, whose buildspec has no artifacts.
fn unstored(plan: &Plan, path: &str, build: &Action) -> Option<String> {
    let outputs = names(build, "outputArtifacts");
    let (reader, stage, output) =
        plan.actions().filter(|(_, action)| reads_inputs(action)).find_map(|(stage, action)| {
            let input = names(action, "inputArtifacts").into_iter().find(|input| outputs.contains(input))?;
            Some((&action.name, &stage.name, input))
        })?;
    Some(format!(
        "{path}: its buildspec has no artifacts, so its output artifact {output} is not stored, which {stage}/{reader} reads; add artifacts \
         to the buildspec"
    ))
}

/// Whether the action fails without one of its input artifacts.
fn reads_inputs(action: &Action) -> bool {
    let id = &action.id;
    match action.runner {
        Runner::StandIn => true,
        Runner::Emulator(_) => id.provider == "CodeBuild" || id.provider == "Commands" || id.is_aws("Deploy", "S3"),
        _ => false,
    }
}

/// The folder that stands for the source of the artifact. `None` for artifacts of other actions.
fn folder_of<'p>(plan: &'p Plan, artifact: &str) -> Option<SourceFolder<'p>> {
    let (_, source) =
        plan.actions().find(|(_, action)| artifacts(action, "outputArtifacts").any(|name| name == artifact))?;
    let is_clone = source.declaration["configuration"]["OutputArtifactFormat"] == "CODEBUILD_CLONE_REF";
    match &source.runner {
        Runner::Folder(folder) => Some(SourceFolder { folder, is_clone }),
        Runner::Bucket { folder, .. } => Some(SourceFolder { folder, is_clone: false }),
        _ => None,
    }
}

fn names(action: &Action, member: &str) -> Vec<String> {
    artifacts(action, member).map(str::to_owned).collect()
}

/// A member of the declaration. One of the wrong form is empty, because the emulator refuses it later.
fn read<T: Default + for<'de> Deserialize<'de>>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}
