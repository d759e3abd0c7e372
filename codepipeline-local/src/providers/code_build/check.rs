//! Checks a CodeBuild action before it runs.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::Secrets;
use super::super::buildspec::{self, Spec};
use super::super::needs::Needs;
use super::configuration::{self, Configuration};
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
        let read = configuration::read(self.configuration, self.inputs).ok()?;
        Some(read.primary_source).filter(|name| self.inputs.contains(name))
    }

    /// Checks the action with its project. `source` is the folder of the primary source, if it is known.
    pub(crate) async fn check(&self, project: &Project, source: Option<&Path>, secrets: &Secrets) -> Checked {
        let mut checked = Checked::default();
        let read = match configuration::read(self.configuration, self.inputs) {
            Ok(read) => read,
            // The value of a variable may make it right.
            Err(_) if self.configuration.values().any(|value| value.contains("#{")) => return checked,
            Err(failed) => {
                checked.mistakes.push(failed.message);
                return checked;
            }
        };
        let Configuration { primary_source, variables, .. } = read;
        if !primary_source.contains("#{") && !self.inputs.contains(&primary_source) {
            let names = self.inputs.join(", ");
            checked.mistakes.push(format!("PrimarySource is {primary_source}, but the input artifacts are {names}"));
        }
        let mut layers = vec![project.variables(), variables];
        match project.known_buildspec(source).await {
            None => {}
            Some(Err(why)) => {
                checked.mistakes.push(why);
                checked.lacks_buildspec = true;
            }
            Some(Ok((text, file))) => match buildspec::read(&text, &file) {
                Err(mistake) => checked.mistakes.push(mistake.to_string()),
                Ok(Spec { buildspec, notes }) => {
                    checked.is_complete = true;
                    checked.notes = notes;
                    layers.insert(0, buildspec.environment.variables);
                    let artifacts = buildspec.artifacts.as_ref();
                    let count = self.outputs.len();
                    let lacks = |name: &&String| artifacts.is_some_and(|it| set_of(name, count, it).is_none());
                    checked.mistakes.extend(self.outputs.iter().find(lacks).map(|name| several_lack(name)));
                }
            },
        }
        checked.needs = Needs::of(layers, secrets);
        checked
    }
}
