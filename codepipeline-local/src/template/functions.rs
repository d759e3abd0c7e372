//! Lambda functions of CloudFormation, SAM and the CDK.

use std::collections::BTreeMap;
use std::path::Path;

use super::assets::Assets;
use super::place::Place;
use super::project::Function;
use super::resolve::{Absent, Resolver, text_of};
use super::sections::{Resource, SAM_FUNCTION};
use crate::yaml::Node;

pub(super) const FUNCTIONS: [&str; 2] = ["AWS::Lambda::Function", SAM_FUNCTION];

/// Reads the function. What can't be resolved is left out: a pipeline may not invoke this function at all.
pub(super) fn function<'a>(
    resolver: &mut Resolver<'a>,
    id: &str,
    resource: &Resource<'a>,
    folder: &Path,
    assets: &Assets,
) -> Function {
    let resources = Place::root("Resources");
    let outer = resources.member(id);
    let place = outer.member("Properties");
    let mut text = |key: &str| {
        let node = property(resolver, resource, key)?;
        resolver.quietly(|resolver| resolver.value(node, &place.member(key))).as_ref().and_then(text_of)
    };
    let (handler, runtime) = (text("Handler"), text("Runtime"));
    let (timeout, memory) = (text("Timeout"), text("MemorySize"));
    // A URL names no file of this machine.
    let code_uri = text("CodeUri").filter(|uri| !uri.contains("://"));
    let code = code_uri
        .or_else(|| asset_of(resource.metadata))
        .map(|path| folder.join(path))
        .or_else(|| object_key(resolver, resource, &place).and_then(|key| assets.path(&key)));
    Function {
        logical_id: id.to_owned(),
        handler,
        runtime,
        code,
        timeout: timeout.and_then(|text| text.parse().ok()),
        memory: memory.and_then(|text| text.parse().ok()),
        environment: environment(resolver, resource, &place),
    }
}

/// The variables of SAM's `Globals`, and those of the function, which win (SAM Developer Guide, "Globals section").
fn environment<'a>(
    resolver: &mut Resolver<'a>,
    resource: &Resource<'a>,
    properties: &Place<'_>,
) -> BTreeMap<String, Option<String>> {
    let outer = properties.member("Environment");
    let place = outer.member("Variables");
    let own = resource.properties.and_then(|properties| properties.get("Environment"));
    let both = [resolver.template.global(resource.kind, "Environment"), own];
    let mut environment = BTreeMap::new();
    for node in both.into_iter().flatten() {
        let variables = node.get("Variables").map(Node::entries).unwrap_or_default();
        if variables.iter().all(|(name, _)| name.starts_with("Fn::")) {
            // A function such as Fn::If makes the variables.
            let made = resolver.quietly(|resolver| resolver.value(node, &outer)).unwrap_or_default();
            let made = made["Variables"].as_object().cloned().unwrap_or_default();
            environment.extend(made.into_iter().map(|(name, value)| (name, text_of(&value))));
            continue;
        }
        for (name, node) in variables {
            let value = resolver.quietly(|resolver| match resolver.value(node, &place.member(name)) {
                Err(Absent::NoValue) => Ok(None),
                value => value.map(Some),
            });
            match value {
                Some(None) => drop(environment.remove(name)),
                Some(Some(value)) => drop(environment.insert(name.clone(), text_of(&value))),
                None => drop(environment.insert(name.clone(), None)),
            }
        }
    }
    environment
}

fn property<'a>(resolver: &Resolver<'a>, resource: &Resource<'a>, key: &str) -> Option<&'a Node> {
    let own = resource.properties.and_then(|properties| properties.get(key));
    own.or_else(|| resolver.template.global(resource.kind, key))
}

/// The path that the CDK writes into a resource's metadata.
fn asset_of(metadata: Option<&Node>) -> Option<String> {
    metadata?.get("aws:asset:path")?.text().map(str::to_owned)
}

/// The key of the function's code in the bucket of the CDK's assets.
fn object_key<'a>(resolver: &mut Resolver<'a>, resource: &Resource<'a>, place: &Place<'_>) -> Option<String> {
    let key = resource.properties?.get("Code")?.get("S3Key")?;
    let code = place.member("Code");
    resolver.quietly(|resolver| resolver.value(key, &code.member("S3Key"))).as_ref().and_then(text_of)
}
