//! Puts a project together from the parts of a file.

use std::collections::BTreeSet;
use std::path::Path;

use super::assets::Assets;
use super::code_build::{self, PROJECT};
use super::exports::Exports;
use super::functions::{self, FUNCTIONS};
use super::parameters::Parameters;
use super::pipeline::{self, ACTION_TYPE, PIPELINE, configured, exists};
use super::place::Place;
use super::problem::Problem;
use super::project::{Bucket, Project};
use super::resolve::Resolver;
use super::sections::{Template, stack_name};
use crate::api::nearest;
use crate::yaml::Node;

const BUCKET: [&str; 1] = ["AWS::S3::Bucket"];
const CONNECTION: [&str; 2] = ["AWS::CodeConnections::Connection", "AWS::CodeStarConnections::Connection"];

/// The project of `get-pipeline`'s JSON.
pub(super) fn from_api(root: &Node, parameters: &Parameters) -> Result<Project, Vec<Problem>> {
    let mut notes = Vec::new();
    let Some(pipeline) = pipeline::from_api(root, &mut notes) else {
        let message = "holds no pipeline: a template has Resources, and the JSON of get-pipeline has pipeline with a list of stages";
        return Err(vec![Problem::new(message)]);
    };
    let unused: Vec<_> = parameters
        .keys()
        .map(|key| Problem::new(format!("--parameter {key}: this file is no template and has no parameters")))
        .collect();
    if !unused.is_empty() {
        return Err(unused);
    }
    Ok(Project { pipelines: vec![pipeline], notes, ..Project::default() })
}

/// The project of a template.
pub(super) fn template(root: &Node, file: &Path, parameters: &Parameters) -> Result<Project, Vec<Problem>> {
    let template = Template::read(root, &stack_name(file))?;
    let Exports { values, used } = Exports::beside(file, root, parameters);
    let mut resolver = Resolver::new(&template, parameters).with_imports(values, used);
    let mut project = Project::default();
    let resolver = &mut resolver;
    resolver.check_given();
    for (id, resource) in template.of_type(&[PIPELINE]) {
        if exists(resolver, id, resource.condition) {
            project.pipelines.extend(pipeline::pipeline(resolver, id, resource.properties));
        }
    }
    for (id, resource) in template.of_type(&[ACTION_TYPE]) {
        if exists(resolver, id, resource.condition) {
            project.action_types.extend(pipeline::action_type(resolver, id, resource.properties));
        }
    }
    if project.pipelines.is_empty() && resolver.problems.is_empty() {
        let message = "has no resource of type AWS::CodePipeline::Pipeline, or its conditions exclude it; name the \
                       template that has the pipeline";
        return Err(vec![Problem::new(message)]);
    }
    add_builds(&mut project, resolver);
    add_others(&mut project, resolver, file);
    let mut problems = std::mem::take(&mut resolver.problems);
    problems.extend(resolver.unused().map(|key| unused(key, &template)));
    if !problems.is_empty() {
        return Err(problems);
    }
    project.logical_ids = std::mem::take(&mut resolver.logical_ids);
    project.notes.append(&mut resolver.notes);
    project.notes.extend(template.notes());
    Ok(project)
}

/// Adds the CodeBuild projects that an action names. Others may need values that nothing here needs.
fn add_builds<'a>(project: &mut Project, resolver: &mut Resolver<'a>) {
    let template = resolver.template;
    let named: BTreeSet<String> = project
        .pipelines
        .iter()
        .flat_map(|pipeline| configured(pipeline, "CodeBuild", "ProjectName"))
        .map(str::to_owned)
        .collect();
    let resources = Place::root("Resources");
    for (id, resource) in template.of_type(&[PROJECT]) {
        let name = resolver.quietly(|resolver| resolver.name(id, &resources.member(id)));
        let Some(name) = name.filter(|name| named.contains(name)) else { continue };
        if exists(resolver, id, resource.condition)
            && let Ok(build) = code_build::project(resolver, id, resource.properties)
        {
            project.code_build.insert(name, build);
        }
    }
}

/// Adds functions, buckets and connections. One whose name or condition can't be resolved is left out.
fn add_others<'a>(project: &mut Project, resolver: &mut Resolver<'a>, file: &Path) {
    let template = resolver.template;
    let assets = Assets::of(file).unwrap_or_else(|problem| {
        project.notes.push(problem);
        Assets::default()
    });
    let folder = file.parent().unwrap_or(Path::new(""));
    let resources = Place::root("Resources");
    for (id, resource) in template.of_type(&FUNCTIONS) {
        let place = resources.member(id);
        let name = resolver.quietly(|resolver| resolver.name(id, &place));
        let Some(name) = name.filter(|_| exists_quietly(resolver, id, resource.condition)) else { continue };
        let function = functions::function(resolver, id, resource, folder, &assets);
        project.functions.insert(name, function);
    }
    for (id, resource) in template.of_type(&BUCKET) {
        let place = resources.member(id);
        let name = resolver.quietly(|resolver| resolver.name(id, &place));
        let Some(name) = name.filter(|_| exists_quietly(resolver, id, resource.condition)) else { continue };
        let versioning = resource.properties.and_then(|properties| properties.get("VersioningConfiguration"));
        let status = versioning.and_then(|node| node.get("Status")).and_then(Node::text);
        let bucket = Bucket { logical_id: id.to_owned(), versioned: status == Some("Enabled") };
        project.buckets.insert(name, bucket);
    }
    for (id, resource) in template.of_type(&CONNECTION) {
        let place = resources.member(id);
        let arn = resolver.quietly(|resolver| resolver.arn(id, &place));
        let Some(arn) = arn.filter(|_| exists_quietly(resolver, id, resource.condition)) else { continue };
        project.connections.insert(arn, id.to_owned());
    }
}

fn exists_quietly(resolver: &mut Resolver<'_>, id: &str, condition: Option<&str>) -> bool {
    resolver.quietly(|resolver| Ok(exists(resolver, id, condition))).unwrap_or_default()
}

fn unused(key: &str, template: &Template<'_>) -> Problem {
    let known = nearest(key, template.parameters.keys().copied());
    let hint = known.map_or_else(String::new, |known| format!("; did you mean {known}?"));
    let key = key.escape_debug();
    Problem::new(format!("--parameter {key}: the pipeline needs no value of this name, and no parameter has it{hint}"))
}
