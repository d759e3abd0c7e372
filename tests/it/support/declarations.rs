//! Parts of pipelines, and of the worker's configuration.

use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use aws_sdk_codepipeline::types::{ActionDeclaration, ActionTypeId, InputArtifact, OutputArtifact};
use codepipeline_worker::job;
use serde_json::{Value, json};

/// Version 1 of an action type, as the worker names it.
pub(crate) fn action_type(category: &str, owner: &str, provider: &str) -> job::ActionTypeId {
    let [category, owner, provider, version] = [category, owner, provider, "1"].map(str::to_owned);
    job::ActionTypeId { category, owner, provider, version }
}

/// An action of a pipeline.
pub(crate) fn action(name: &str, category: &str, owner: &str, provider: &str) -> ActionDeclarationBuilder {
    let id = ActionTypeId::builder().category(category.into()).owner(owner.into()).provider(provider).version("1");
    ActionDeclaration::builder().name(name).action_type_id(id.build().unwrap())
}

/// A custom action that takes the source artifact.
pub(crate) fn custom(name: &str, category: &str, provider: &str) -> ActionDeclarationBuilder {
    action(name, category, "Custom", provider).input_artifacts(input("Source"))
}

pub(crate) fn input(name: &str) -> InputArtifact {
    InputArtifact::builder().name(name).build().unwrap()
}

pub(crate) fn output(name: &str) -> OutputArtifact {
    OutputArtifact::builder().name(name).build().unwrap()
}

/// An entry of `ACTIONS` that runs the shell script in the action's configuration property `Command`.
pub(crate) fn shell(category: &str, provider: &str) -> Value {
    json!({
        "actionType": {"category": category, "owner": "Custom", "provider": provider, "version": "1"},
        "timeoutSeconds": 60,
        "run": {"command": ["sh", "-eu", "-c", "{Config:Command}"]}
    })
}

/// A small zip of these files, each a name and its content.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
