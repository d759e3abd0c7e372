//! The sections of a CloudFormation template.

use std::collections::BTreeMap;
use std::path::Path;

use super::place::Place;
use super::problem::Problem;
use crate::yaml::Node;

pub(super) const SAM_FUNCTION: &str = "AWS::Serverless::Function";

/// A template's parts by name.
pub(super) struct Template<'a> {
    pub(super) root: &'a Node,
    /// The value of `AWS::StackName`.
    pub(super) stack: String,
    pub(super) parameters: BTreeMap<&'a str, &'a Node>,
    pub(super) mappings: BTreeMap<&'a str, &'a Node>,
    pub(super) conditions: BTreeMap<&'a str, &'a Node>,
    pub(super) resources: BTreeMap<String, Resource<'a>>,
}

/// A resource of a template.
pub(super) struct Resource<'a> {
    pub(super) kind: &'a str,
    /// The condition without which the resource does not exist.
    pub(super) condition: Option<&'a str>,
    pub(super) properties: Option<&'a Node>,
    pub(super) metadata: Option<&'a Node>,
}

impl<'a> Template<'a> {
    /// Reads the sections. The problems are resources without a type, and sections that are no maps.
    pub(super) fn read(root: &'a Node, stack: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut section = |name: &'a str| {
            let node = root.get(name).filter(|node| !node.is_null());
            if node.is_some_and(|node| !node.is_map()) {
                problems.push(Problem::at(&Place::root(name), root, "must be a map"));
            }
            node.into_iter().flat_map(Node::entries).map(|(key, node)| (key.as_str(), node)).collect::<BTreeMap<_, _>>()
        };
        let (parameters, mappings, conditions) = (section("Parameters"), section("Mappings"), section("Conditions"));
        let declared = section("Resources");
        let mut resources = BTreeMap::new();
        for (id, node) in declared {
            // A loop of AWS::LanguageExtensions, which `notes` names.
            if id.starts_with("Fn::") {
                continue;
            }
            let Some(kind) = node.get("Type").and_then(Node::text) else {
                let all = Place::root("Resources");
                problems.push(Problem::at(&all.member(id), root, "has no Type, such as AWS::CodePipeline::Pipeline"));
                continue;
            };
            // SAM makes this role for a function.
            if kind == SAM_FUNCTION {
                let role = Resource { kind: "AWS::IAM::Role", condition: None, properties: None, metadata: None };
                resources.entry(format!("{id}Role")).or_insert(role);
            }
            let resource = Resource {
                kind,
                condition: node.get("Condition").and_then(Node::text),
                properties: node.get("Properties").filter(|node| node.is_map()),
                metadata: node.get("Metadata"),
            };
            resources.insert(id.to_owned(), resource);
        }
        let stack = stack.to_owned();
        let template = Self { root, stack, parameters, mappings, conditions, resources };
        if problems.is_empty() { Ok(template) } else { Err(problems) }
    }

    /// Names the parts that this program does not read.
    pub(super) fn notes(&self) -> Vec<Problem> {
        let all = Place::root("Resources");
        let loops =
            self.root.get("Resources").into_iter().flat_map(Node::entries).filter(|(id, _)| id.starts_with("Fn::"));
        loops
            .map(|(id, _)| {
                let message = "is left out: write the template without macros and loops";
                Problem::at(&all.member(id), self.root, message)
            })
            .collect()
    }

    /// Resources of these types, with their ids.
    pub(super) fn of_type<'t>(&'t self, kinds: &'t [&str]) -> impl Iterator<Item = (&'t str, &'t Resource<'a>)> {
        self.resources
            .iter()
            .filter(|(_, resource)| kinds.contains(&resource.kind))
            .map(|(id, resource)| (id.as_str(), resource))
    }

    /// The property of a function in SAM's `Globals`.
    pub(super) fn global(&self, kind: &str, property: &str) -> Option<&'a Node> {
        let functions = (kind == SAM_FUNCTION).then(|| self.root.get("Globals")).flatten()?;
        functions.get("Function")?.get(property)
    }
}

/// The name of a stack from this file: that of the CDK's stack, or of the file or its folder.
pub(super) fn stack_name(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let kept: String = stem.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    if kept.is_empty() { "stack".to_owned() } else { kept }
}
