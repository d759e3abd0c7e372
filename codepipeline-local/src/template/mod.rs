//! Reads pipelines from files: the JSON of `get-pipeline`, and templates of CloudFormation, SAM and the CDK.
//!
//! A file becomes a tree ([`crate::yaml`]). `resolve` evaluates CloudFormation's functions where a pipeline needs their
//! values. `declared` brings the result into the form of CodePipeline's API. The rest of the program gets a [`Project`].
//! Nothing here talks to AWS: physical names and ARNs are made up, and what only AWS knows comes from the user.

use std::path::Path;

pub(crate) use parameters::Parameters;
pub(crate) use problem::Problem;
pub(crate) use project::{Buildspec, CodeBuildProject, Function, Pipeline, Project};

mod assemble;
mod assets;
mod code_build;
mod declared;
mod document;
mod exports;
mod find;
mod functions;
pub(crate) mod parameters;
mod pipeline;
mod place;
mod problem;
pub(crate) mod project;
mod resolve;
mod sections;
mod short_tags;
#[cfg(test)]
mod tests;

/// Reads the pipelines of the file, or of the only file that has any in this folder or the current one. Returns all problems of the file
/// together: it can't be read, has no pipeline, or needs values that only the user or AWS knows.
pub(crate) fn load(file: Option<&Path>, parameters: &Parameters) -> Result<Project, Vec<Problem>> {
    let file = match file {
        Some(file) if !file.is_dir() => file.to_owned(),
        folder => find::only_one(folder.unwrap_or(Path::new(""))).map_err(|problem| vec![problem])?,
    };
    let mut root = document::read(&file).map_err(|problem| vec![problem])?;
    let in_file = |problem: Problem| problem.in_file(&file);
    let problems = short_tags::write_out(&mut root);
    if !problems.is_empty() {
        return Err(problems.into_iter().map(in_file).collect());
    }
    let read = match root.get("Resources") {
        Some(_) => assemble::template(&root, &file, parameters),
        None => assemble::from_api(&root, parameters),
    };
    let mut project = read.map_err(|problems| problems.into_iter().map(in_file).collect::<Vec<_>>())?;
    project.notes = project.notes.into_iter().map(in_file).collect();
    project.file = file;
    Ok(project)
}
