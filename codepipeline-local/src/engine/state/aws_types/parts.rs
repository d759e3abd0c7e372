//! The parts of the definitions of action types.

use super::super::{
    action_type::{ArtifactDetails, Property, TypeSettings},
    declaration::ActionTypeId,
};

pub(super) fn up_to(minimum_count: usize, maximum_count: usize) -> ArtifactDetails {
    ArtifactDetails { minimum_count, maximum_count }
}

pub(super) fn linked(entity_url_template: &str) -> Option<TypeSettings> {
    Some(TypeSettings { entity_url_template: Some(entity_url_template.to_owned()), ..TypeSettings::default() })
}

pub(super) fn properties(required: &[&str], optional: &[&str]) -> Vec<Property> {
    let required = required.iter().map(|name| property(name, true));
    required.chain(optional.iter().map(|name| property(name, false))).collect()
}

pub(super) fn property(name: &str, required: bool) -> Property {
    Property {
        name: name.to_owned(),
        required,
        key: required,
        secret: false,
        queryable: false,
        description: None,
        kind: None,
    }
}

pub(super) fn first_version(category: &str, provider: &str) -> ActionTypeId {
    ActionTypeId::first(category, "AWS", provider)
}
