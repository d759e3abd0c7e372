//! A file that was read, and whose values are not resolved yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::parameters::Parameters;
use super::problem::Problem;
use super::project::Project;
use super::{assemble, document, find, short_tags};
use crate::yaml::Node;

/// The tree of a file that may have pipelines. It may hold secrets, so it has no `Debug`.
pub(crate) struct Opened {
    file: PathBuf,
    root: Node,
    /// Warnings about the file's form.
    notes: Vec<Problem>,
}

impl Opened {
    /// Reads the file, or the only file that has pipelines in this folder or the current one. Returns an error if it can't be read.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let file = match file {
            Some(file) if !file.is_dir() => file.to_owned(),
            folder => find::only_one(folder.unwrap_or(Path::new(""))).map_err(|problem| vec![problem])?,
        };
        let (mut root, notes) = document::read_with_notes(&file).map_err(|problem| vec![problem])?;
        let problems = short_tags::write_out(&mut root);
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| problem.in_file(&file)).collect());
        }
        Ok(Self { file, root, notes })
    }

    /// The values that output must hide, by their keys: those of parameters with `NoEcho`, and those that the user gives for dynamic
    /// references to secrets.
    pub(crate) fn hidden(&self, parameters: &Parameters) -> BTreeMap<String, String> {
        let declared = self.root.get("Parameters").map(Node::entries).unwrap_or_default();
        let no_echo = declared.iter().filter_map(|(name, node)| Some((name.clone(), no_echo(name, node, parameters)?)));
        no_echo.chain(parameters.secrets()).collect()
    }

    /// Resolves the pipelines. Returns all problems of the file together: it has no pipeline, or needs values that only the user or AWS
    /// knows.
    pub(crate) fn project(self, parameters: &Parameters) -> Result<Project, Vec<Problem>> {
        let Self { file, root, notes } = self;
        let in_file = |problem: Problem| problem.in_file(&file);
        let read = match root.get("Resources") {
            Some(_) => assemble::template(&root, &file, parameters),
            None => assemble::from_api(&root, parameters),
        };
        let mut project = read.map_err(|problems| problems.into_iter().map(in_file).collect::<Vec<_>>())?;
        project.notes = notes.into_iter().chain(project.notes).map(in_file).collect();
        project.file = file;
        Ok(project)
    }
}

/// The value of a parameter that asks to be hidden. `None` for other parameters, and if only AWS knows the value.
fn no_echo(name: &str, declared: &Node, parameters: &Parameters) -> Option<String> {
    let text = |key: &str| declared.get(key).and_then(Node::text);
    text("NoEcho").filter(|value| value.eq_ignore_ascii_case("true"))?;
    // The default of such a parameter is a name in the parameter store.
    let is_name = text("Type").is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::"));
    parameters.get(name).or_else(|| text("Default").filter(|_| !is_name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_echo_and_secrets_of_references_are_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("template.yaml");
        let text = "\
Parameters:
  Given: {Type: String, NoEcho: true, Default: other}
  Usual: {Type: String, NoEcho: 'True', Default: usual}
  Named: {Type: 'AWS::SSM::Parameter::Value<String>', NoEcho: true, Default: /web/name}
  Open: {Type: String, Default: open}
";
        std::fs::write(&file, text).unwrap();
        let given = ["Given=one", "Open=two", "resolve:secretsmanager:web=three", "resolve:ssm-secure:/a:1=four"];
        let parameters: Parameters =
            given.iter().chain(&["resolve:ssm:/a=five"]).map(|text| text.parse().unwrap()).collect();
        let hidden = Opened::open(Some(&file)).ok().unwrap().hidden(&parameters);
        let mut values: Vec<&str> = hidden.values().map(String::as_str).collect();
        values.sort_unstable();
        assert_eq!(values, ["four", "one", "three", "usual"]);
    }
}
