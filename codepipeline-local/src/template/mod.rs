//! Reads pipelines from files: the JSON of `get-pipeline`, and templates of CloudFormation, SAM and the CDK.
//!
//! A file becomes a tree ([`crate::yaml`]). `resolve` evaluates CloudFormation's functions where a pipeline needs their
//! values. `declared` brings the result into the form of CodePipeline's API. The rest of the program gets a [`Project`].
//! Nothing here talks to AWS: physical names and ARNs are made up, and what only AWS knows comes from the user.

pub(crate) use opened::Opened;
pub(crate) use parameters::Parameters;
pub(crate) use project::{Buildspec, CodeBuildProject, Function, Pipeline, Project};

mod assemble;
mod assets;
mod code_build;
mod declared;
mod document;
mod exports;
mod find;
mod functions;
mod opened;
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
