//! `AWS::CodePipeline::Pipeline` and `AWS::CodePipeline::CustomActionType` as inputs of the API.

use serde_json::{Map, Value};

use super::declared::{Naming, Reader};
use super::place::Place;
use super::problem::Problem;
use super::project::{DisabledTransition, Pipeline};
use super::resolve::{Absent, Resolved, Resolver, text_of};
use crate::yaml::Node;

pub(super) const PIPELINE: &str = "AWS::CodePipeline::Pipeline";
pub(super) const ACTION_TYPE: &str = "AWS::CodePipeline::CustomActionType";

/// Reads the pipeline with this logical id.
pub(super) fn pipeline<'a>(resolver: &mut Resolver<'a>, id: &str, properties: Option<&'a Node>) -> Resolved<Pipeline> {
    let resources = Place::root("Resources");
    let resource = resources.member(id);
    let place = resource.member("Properties");
    let mut members = members(resolver, properties, &place)?;
    let name = resolver.name(id, &place.member("Name"))?;
    members.insert("Name".to_owned(), Value::String(name));
    // Whether an update of the stack restarts the pipeline. Nothing updates a stack here.
    members.remove("RestartExecutionOnUpdate");
    let tags = members.remove("Tags");
    let stores = members.remove("ArtifactStores").map(|stores| by_region(resolver, &stores, &place));
    let disabled = members.remove("DisableInboundStageTransitions").unwrap_or_default();
    let disabled_transitions = disabled_transitions(resolver, &disabled, &place);
    let root = resolver.template.root;
    let mut reader = Reader { naming: Naming::Pascal, root, notes: &mut resolver.notes };
    let mut declaration = reader.read(Value::Object(members), "PipelineDeclaration", &place);
    let tags = tags.map_or(Value::Null, |tags| reader.read(tags, "TagList", &place.member("Tags")));
    if let Some(stores) = stores {
        declaration["artifactStores"] = reader.read(stores, "ArtifactStoreMap", &place.member("ArtifactStores"));
    }
    Ok(Pipeline { logical_id: Some(id.to_owned()), declaration, tags, disabled_transitions })
}

/// Reads the action type with this logical id.
pub(super) fn action_type<'a>(resolver: &mut Resolver<'a>, id: &str, properties: Option<&'a Node>) -> Resolved {
    let resources = Place::root("Resources");
    let resource = resources.member(id);
    let place = resource.member("Properties");
    let members = members(resolver, properties, &place)?;
    let root = resolver.template.root;
    let mut reader = Reader { naming: Naming::Pascal, root, notes: &mut resolver.notes };
    Ok(reader.read(Value::Object(members), "CreateCustomActionTypeInput", &place))
}

fn members<'a>(
    resolver: &mut Resolver<'a>,
    properties: Option<&'a Node>,
    place: &Place<'_>,
) -> Resolved<Map<String, Value>> {
    let value = match properties {
        Some(properties) => resolver.value(properties, place)?,
        None => Value::Null,
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => resolver.unresolved(place, "must be a map"),
    }
}

/// CloudFormation has a list of stores with their regions, and the API a map by region.
fn by_region(resolver: &mut Resolver<'_>, stores: &Value, place: &Place<'_>) -> Value {
    let place = place.member("ArtifactStores");
    let mut regions = Map::new();
    for (index, entry) in stores.as_array().into_iter().flatten().enumerate() {
        match (entry.get("Region").and_then(text_of), entry.get("ArtifactStore")) {
            (Some(region), Some(store)) => drop(regions.insert(region, store.clone())),
            _ => {
                let message = "must have Region and ArtifactStore";
                let _: Resolved<()> = resolver.unresolved(&place.item(index), message);
            }
        }
    }
    Value::Object(regions)
}

fn disabled_transitions(resolver: &mut Resolver<'_>, list: &Value, place: &Place<'_>) -> Vec<DisabledTransition> {
    let place = place.member("DisableInboundStageTransitions");
    let mut disabled = Vec::new();
    for (index, entry) in list.as_array().into_iter().flatten().enumerate() {
        let text = |name: &str| entry.get(name).and_then(text_of);
        match (text("StageName"), text("Reason")) {
            (Some(stage), Some(reason)) => disabled.push(DisabledTransition { stage, reason }),
            _ => {
                let message = "must have StageName and Reason";
                let _: Resolved<()> = resolver.unresolved(&place.item(index), message);
            }
        }
    }
    disabled
}

/// Reads the answer of `get-pipeline`, or its member `pipeline` alone.
pub(super) fn from_api(root: &Node, notes: &mut Vec<Problem>) -> Option<Pipeline> {
    let node = root.get("pipeline").unwrap_or(root);
    if node.get("stages")?.items().is_empty() {
        return None;
    }
    let mut reader = Reader { naming: Naming::Camel, root, notes };
    let declaration = reader.read(node.to_value(), "PipelineDeclaration", &Place::root("pipeline"));
    Some(Pipeline { logical_id: None, declaration, tags: Value::Null, disabled_transitions: Vec::new() })
}

/// The names that the configurations of this provider's actions have under the key.
pub(super) fn configured<'v>(pipeline: &'v Pipeline, provider: &str, key: &str) -> Vec<&'v str> {
    let items = |value: &'v Value, name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    items(&pipeline.declaration, "stages")
        .flat_map(|stage| items(stage, "actions"))
        .filter(|action| action["actionTypeId"]["provider"] == provider)
        .filter_map(|action| action["configuration"][key].as_str())
        .collect()
}

/// Whether the resource exists. A problem counts as no.
pub(super) fn exists(resolver: &mut Resolver<'_>, id: &str, condition: Option<&str>) -> bool {
    let resources = Place::root("Resources");
    let resource = resources.member(id);
    match condition.map(|name| resolver.condition(name, &resource.member("Condition"))) {
        None => true,
        Some(Ok(holds)) => holds,
        Some(Err(Absent::NoValue | Absent::Unresolved)) => false,
    }
}
