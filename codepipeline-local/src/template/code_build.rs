//! `AWS::CodeBuild::Project`

use super::place::Place;
use super::project::{Buildspec, CodeBuildProject, ProjectVariable};
use super::resolve::{Absent, Resolved, Resolver, text_of};
use crate::yaml::Node;

pub(super) const PROJECT: &str = "AWS::CodeBuild::Project";

/// Reads what a build needs. Other properties may hold values that only AWS knows.
pub(super) fn project<'a>(
    resolver: &mut Resolver<'a>,
    id: &str,
    properties: Option<&'a Node>,
) -> Resolved<CodeBuildProject> {
    let resources = Place::root("Resources");
    let resource = resources.member(id);
    let place = resource.member("Properties");
    let source = properties.and_then(|properties| properties.get("Source"));
    let environment = properties.and_then(|properties| properties.get("Environment"));
    let source_place = place.member("Source");
    let environment_place = place.member("Environment");
    let buildspec = optional(resolver, source, "BuildSpec", &source_place);
    let variables = variables(resolver, environment, &environment_place);
    let source_type = optional(resolver, source, "Type", &source_place);
    let source_identifier = optional(resolver, source, "SourceIdentifier", &source_place);
    let timeout = minutes(resolver, properties, "TimeoutInMinutes", &place);
    let queued_timeout = minutes(resolver, properties, "QueuedTimeoutInMinutes", &place);
    let image = resolver.quietly(|resolver| optional(resolver, environment, "Image", &environment_place)).flatten();
    Ok(CodeBuildProject {
        logical_id: id.to_owned(),
        buildspec: buildspec?.map_or(Buildspec::Default, spec),
        environment: variables?,
        image,
        source_type: source_type?,
        source_identifier: source_identifier?,
        timeout_in_minutes: timeout?,
        queued_timeout_in_minutes: queued_timeout?,
    })
}

/// A text with several lines or in braces is a buildspec itself. Anything else is its path.
fn spec(text: String) -> Buildspec {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        Buildspec::Default
    } else if trimmed.contains('\n') || (trimmed.starts_with('{') && trimmed.ends_with('}')) {
        Buildspec::Inline(text)
    } else {
        Buildspec::Path(trimmed.to_owned())
    }
}

/// The text of a member. A map becomes JSON.
fn optional<'a>(
    resolver: &mut Resolver<'a>,
    parent: Option<&'a Node>,
    key: &str,
    place: &Place<'_>,
) -> Resolved<Option<String>> {
    let Some(node) = parent.and_then(|parent| parent.get(key)).filter(|node| !node.is_null()) else { return Ok(None) };
    match resolver.value(node, &place.member(key)) {
        Ok(value) => Ok(Some(text_of(&value).unwrap_or_else(|| value.to_string()))),
        Err(Absent::NoValue) => Ok(None),
        Err(Absent::Unresolved) => Err(Absent::Unresolved),
    }
}

fn minutes<'a>(
    resolver: &mut Resolver<'a>,
    properties: Option<&'a Node>,
    key: &str,
    place: &Place<'_>,
) -> Resolved<Option<u64>> {
    let Some(text) = optional(resolver, properties, key, place)? else { return Ok(None) };
    match text.parse() {
        Ok(minutes) => Ok(Some(minutes)),
        Err(_) => resolver.unresolved(&place.member(key), "must be a number of minutes"),
    }
}

fn variables<'a>(
    resolver: &mut Resolver<'a>,
    environment: Option<&'a Node>,
    place: &Place<'_>,
) -> Resolved<Vec<ProjectVariable>> {
    let Some(node) = environment.and_then(|environment| environment.get("EnvironmentVariables")) else {
        return Ok(Vec::new());
    };
    let place = place.member("EnvironmentVariables");
    let value = match resolver.value(node, &place) {
        Err(Absent::NoValue) => return Ok(Vec::new()),
        value => value?,
    };
    let mut variables = Vec::new();
    for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
        let text = |key: &str| entry.get(key).and_then(text_of);
        let (Some(name), Some(value)) = (text("Name"), text("Value")) else {
            return resolver.unresolved(&place.item(index), "must have Name and Value");
        };
        variables.push(ProjectVariable { name, value, kind: text("Type").unwrap_or_else(|| "PLAINTEXT".to_owned()) });
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildspec_is_a_text_or_a_path() {
        for inline in ["version: 0.2\nphases: {}\n", "{\"version\": \"0.2\"}", "\n{\n}"] {
            assert_eq!(spec(inline.to_owned()), Buildspec::Inline(inline.to_owned()));
        }
        for path in ["ci/build.yml", "{{folder}}/build.yml"] {
            assert_eq!(spec(path.to_owned()), Buildspec::Path(path.to_owned()));
        }
        assert_eq!(spec(" \n".to_owned()), Buildspec::Default);
    }
}
