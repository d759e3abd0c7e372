//! The work of this emulator's providers, in the words of a listing.

use serde_json::Value;

use super::flags::Wanted;
use super::mistake::Flag;
use super::runner::Runner;
use crate::providers::ActionTypeId;
use crate::template::Project;

/// The work of this emulator's provider for an action of AWS. `None` if there is no such provider.
pub(super) fn what(id: &ActionTypeId, configuration: &Value, project: &Project, wanted: &Wanted) -> Option<Runner> {
    let configured = |key: &str| configuration[key].as_str().unwrap_or_default();
    let text = match (id.category.as_str(), id.provider.as_str(), id.version.as_str()) {
        ("Build" | "Test", "CodeBuild", "1") => {
            let name = configured("ProjectName");
            match project.code_build.get(name) {
                Some(known) => format!("buildspec of {}, in a shell", known.logical_id),
                None => "buildspec.yml of the source, in a shell".to_owned(),
            }
        }
        ("Compute", "Commands", "1") => "commands, in a shell".to_owned(),
        ("Deploy", "S3", "1") => format!("objects in s3://{}", configured("BucketName")),
        ("Invoke", "StepFunctions", "1") if wanted.endpoints.of("states").is_some() => {
            "state machine at --endpoint".to_owned()
        }
        ("Invoke", "StepFunctions", "1") => {
            return Some(Runner::Missing {
                what: "no endpoint has Step Functions".to_owned(),
                flag: Flag::new("--endpoint stepfunctions=http://127.0.0.1:5000"),
            });
        }
        _ => return None,
    };
    Some(Runner::Emulator(text))
}
