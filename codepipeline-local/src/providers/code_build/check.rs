//! Checks a CodeBuild action before it runs.

use std::collections::BTreeMap;

use super::super::Secrets;
use super::super::buildspec::environment::Value;
use super::super::buildspec::{self, Spec};
use super::super::needs::Needs;
use super::super::source::SourceFolder;
use super::configuration;
use super::file_sets::{set_of, several_lack};
use super::project::Project;

/// The results of a check without a run.
#[derive(Default)]
pub(crate) struct Checked {
    /// Each makes the action fail.
    pub(crate) mistakes: Vec<String>,
    /// The members of the buildspec that have no effect.
    pub(crate) notes: Vec<String>,
    pub(crate) needs: Needs,
    /// Whether the buildspec was read. Before a run, nothing is known of one in the artifact of another build.
    pub(crate) is_complete: bool,
    /// Whether the last mistake is that the buildspec could not be found or read.
    pub(crate) lacks_buildspec: bool,
    /// The output variables that the action may have. `None` if they are not known.
    pub(crate) exported: Option<Vec<String>>,
    /// Whether the buildspec has no artifacts, so that the action stores no output artifact.
    pub(crate) stores_nothing: bool,
}

/// An action of CodeBuild as the pipeline declares it, with the names of its artifacts. Its values may have variables of the pipeline.
pub(crate) struct Declared<'a> {
    pub(crate) configuration: &'a BTreeMap<String, String>,
    pub(crate) inputs: &'a [String],
    pub(crate) outputs: &'a [String],
}

impl Declared<'_> {
    /// The name of the input artifact that has the buildspec. `None` if the configuration is wrong, or a variable names it.
    pub(crate) fn primary_source(&self) -> Option<String> {
        let name = configuration::primary_source(self.configuration, self.inputs).ok()?;
        Some(name).filter(|name| self.inputs.contains(name))
    }

    /// Checks the action with its project, if that is known. `source` is the folder of the primary source, if it is known.
    pub(crate) async fn check(
        &self,
        project: Option<&Project>,
        source: Option<SourceFolder<'_>>,
        secrets: &Secrets,
    ) -> Checked {
        let mut checked = Checked { mistakes: self.mistakes(), ..Checked::default() };
        let variables = configuration::declared_variables(self.configuration).unwrap_or_else(|failed| {
            checked.mistakes.push(failed.message);
            None
        });
        let mut layers = Vec::new();
        if let Some(project) = project {
            layers.extend(self.buildspec(project, source, &mut checked).await);
            layers.push(project.variables());
        }
        // The variables of the action may replace any other, so without them no secret is known to be missing.
        match variables {
            Some(variables) => {
                layers.push(variables);
                checked.needs = Needs::of(layers, secrets);
            }
            None => checked.is_complete = false,
        }
        checked
    }

    /// The mistakes of the configuration, but for its variables.
    fn mistakes(&self) -> Vec<String> {
        let project = configuration::project(self.configuration).err();
        let primary_source = match configuration::primary_source(self.configuration, self.inputs) {
            Ok(name) if !name.contains("#{") && !self.inputs.contains(&name) => {
                Some(format!("PrimarySource is {name}, but the input artifacts are {}", self.inputs.join(", ")))
            }
            read => read.err().map(|failed| failed.message),
        };
        project.map(|failed| failed.message).into_iter().chain(primary_source).collect()
    }

    /// Checks the buildspec. Returns its variables. `None` if it is unknown or wrong.
    async fn buildspec(
        &self,
        project: &Project,
        source: Option<SourceFolder<'_>>,
        checked: &mut Checked,
    ) -> Option<BTreeMap<String, Value>> {
        let (text, file) = match project.known_buildspec(source).await? {
            Ok(known) => known,
            Err(why) => {
                checked.mistakes.push(why);
                checked.lacks_buildspec = true;
                return None;
            }
        };
        let Spec { buildspec, notes } = match buildspec::read(&text, &file) {
            Ok(spec) => spec,
            Err(mistake) => {
                checked.mistakes.push(mistake.to_string());
                return None;
            }
        };
        checked.is_complete = true;
        checked.notes = notes;
        checked.exported = Some(buildspec.environment.exported);
        checked.stores_nothing = buildspec.artifacts.is_none();
        let count = self.outputs.len();
        if let Some(artifacts) = &buildspec.artifacts {
            let lacks = |name: &&String| set_of(name, count, artifacts).is_none();
            checked.mistakes.extend(self.outputs.iter().find(lacks).map(|name| several_lack(name)));
        }
        Some(buildspec.environment.variables)
    }
}
