//! Locations of artifacts.

use super::random::Random;
use crate::types::ObjectRef;

/// A new location with a key like the service's: 20 characters of the pipeline's name, 10 of the artifact's, and 7
/// random letters and digits.
pub(crate) fn place(random: &mut Random, bucket: &str, pipeline: &str, artifact: &str) -> ObjectRef {
    let start = |name: &str, length| name.chars().take(length).collect::<String>();
    ObjectRef {
        bucket: bucket.to_owned(),
        key: format!("{}/{}/{}", start(pipeline, 20), start(artifact, 10), random.alphanumeric(7)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifact_keys_have_the_form_of_the_services() {
        let at = place(&mut Random::new(0), "store", "CodePipelineStepFunctions", "SourceOutput");
        assert!(at.key.starts_with("CodePipelineStepFunc/SourceOutp/"), "{}", at.key);
        assert_eq!(at.key.len(), 20 + 1 + 10 + 1 + 7);
        assert_eq!(at.bucket, "store");
    }
}
