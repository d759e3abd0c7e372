//! Refuses members that the API model does not know, in declarations of pipelines and action types.
//!
//! AWS ignores them, as the JSON 1.1 protocol prescribes. A declaration is written once and used for a long time. An ignored misspelt
//! member is noticed late, when its feature does not work. SDKs and the AWS CLI refuse such a member before they send it.

use serde_json::Value;

use super::{
    model::{Kind, MODEL},
    validate::join,
};
use crate::engine::error::ApiError;

/// The operations with declarations.
const STRICT: [&str; 3] = ["CreateCustomActionType", "CreatePipeline", "UpdatePipeline"];

/// How many characters of a member's name an error repeats.
const LONGEST_SHOWN: usize = 60;

/// Refuses the first unknown member of the operation's input, if the operation is strict.
pub(super) fn refuse(operation: &str, input: &Value) -> Result<(), ApiError> {
    if STRICT.contains(&operation) { refuse_in(input, &MODEL.operations[operation].input, "") } else { Ok(()) }
}

/// Refuses the first unknown member of a value of the shape.
pub(super) fn refuse_in(value: &Value, name: &str, path: &str) -> Result<(), ApiError> {
    let shape = MODEL.shape(name);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            for (member, value) in members {
                let Some(known) = shape.members.get(member) else {
                    let shown = shown(member);
                    let hint = nearest(&shown, shape.members.keys().map(String::as_str))
                        .map_or_else(String::new, |known| format!("; did you mean '{known}'?"));
                    let place = join(path, &shown);
                    return Err(ApiError::validation(format!(
                        "Unknown member at '{place}': {name} has no '{shown}'{hint}"
                    )));
                };
                refuse_in(value, known, &join(path, member))?;
            }
        }
        (Kind::List, Value::Array(items)) => {
            let Some(member) = &shape.member else { return Ok(()) };
            for (index, item) in items.iter().enumerate() {
                refuse_in(item, member, &join(path, &format!("{}.member", index + 1)))?;
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            let Some(value_shape) = &shape.value else { return Ok(()) };
            for (key, value) in entries {
                refuse_in(value, value_shape, &join(path, &format!("{key}.member")))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The name as an error repeats it.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(LONGEST_SHOWN).collect()
}

/// The most similar known name, if at most a third of its letters differ.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    known
        .map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(operation: &str, input: &Value) -> String {
        let error = refuse(operation, input).unwrap_err();
        assert_eq!(error.name, "ValidationException");
        error.message
    }

    #[test]
    fn unknown_member_is_named_with_path_and_hint() {
        let action = json!({"name": "A", "inputArtefacts": []});
        let input = json!({"pipeline": {"stages": [{"name": "S"}, {"name": "T", "actions": [action]}]}});
        assert_eq!(
            message("UpdatePipeline", &input),
            "Unknown member at 'pipeline.stages.2.member.actions.1.member.inputArtefacts': ActionDeclaration has no \
             'inputArtefacts'; did you mean 'inputArtifacts'?"
        );
    }

    #[test]
    fn name_in_another_case_gets_a_hint() {
        let message = message("CreateCustomActionType", &json!({"settings": {"EntityURLTemplate": "x"}}));
        assert!(message.ends_with("'EntityURLTemplate'; did you mean 'entityUrlTemplate'?"), "{message}");
    }

    #[test]
    fn name_like_no_other_gets_no_hint() {
        let message = message("CreatePipeline", &json!({"comment": "x"}));
        assert_eq!(message, "Unknown member at 'comment': CreatePipelineInput has no 'comment'");
    }

    #[test]
    fn keys_of_maps_are_free() {
        let store = json!({"type": "S3", "location": "store"});
        let input = json!({"pipeline": {
            "artifactStores": {"us-east-1": store},
            "stages": [{"actions": [{"configuration": {"AnyKey": "x"}}]}],
        }});
        assert!(refuse("CreatePipeline", &input).is_ok());
        let input = json!({"pipeline": {"artifactStores": {"us-east-1": {"bucket": "store"}}}});
        assert!(message("CreatePipeline", &input).contains("'pipeline.artifactStores.us-east-1.member.bucket'"));
    }

    #[test]
    fn other_operations_ignore_unknown_members() {
        assert!(refuse("StartPipelineExecution", &json!({"comment": "x"})).is_ok());
    }

    #[test]
    fn long_name_is_cut() {
        assert!(message("CreatePipeline", &json!({"x".repeat(10_000): 1})).len() < 250);
    }
}
