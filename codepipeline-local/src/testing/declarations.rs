//! Parts of action types and pipelines.

use aws_sdk_codepipeline::types::builders::{ActionConfigurationPropertyBuilder, ActionDeclarationBuilder};
use aws_sdk_codepipeline::types::{
    ActionConfigurationProperty, ActionDeclaration, ActionTypeId, InputArtifact, OutputArtifact,
};

use super::wait::built;

/// An optional, plain property of an action type's configuration. Change it with `.required(true)` and `.secret(true)`.
pub fn property(name: &str) -> ActionConfigurationPropertyBuilder {
    ActionConfigurationProperty::builder().name(name).required(false).key(false).secret(false).queryable(false)
}

/// An action of a pipeline, whose type has version 1.
pub fn action(name: &str, category: &str, owner: &str, provider: &str) -> ActionDeclarationBuilder {
    let id = ActionTypeId::builder().category(category.into()).owner(owner.into()).provider(provider).version("1");
    ActionDeclaration::builder().name(name).action_type_id(built(id.build()))
}

/// An input artifact of an action.
pub fn input(name: &str) -> InputArtifact {
    built(InputArtifact::builder().name(name).build())
}

/// An output artifact of an action.
pub fn output(name: &str) -> OutputArtifact {
    built(OutputArtifact::builder().name(name).build())
}
