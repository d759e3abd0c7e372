//! The environment of a stand-in.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::super::{EnvironmentVariable, EnvironmentVariableKind, Failed, Task, Workplace};
use super::folders::Folders;
use super::results;
use crate::client_environment::with_variables;
use crate::quoted::in_quotes;

/// The variables of a stand-in's command, besides those that every shell of the emulator inherits.
///
/// | variable | value |
/// |---|---|
/// | `INPUT_<NAME>`, `OUTPUT_<NAME>` | folders of the artifacts |
/// | `INPUT_<NAME>_REVISION` | the source revision of an input artifact, if it is known |
/// | `CONFIG_<KEY>` | the action's configuration, with its variables resolved |
/// | `ACTION_TYPE` | the type that the command stands in for: `CATEGORY/OWNER/PROVIDER/VERSION` |
/// | `PIPELINE_NAME`, `PIPELINE_ARN`, `PIPELINE_EXECUTION_ID` | the pipeline and its execution |
/// | `STAGE_NAME`, `ACTION_NAME`, `ACTION_EXECUTION_ID` | the action |
/// | `AWS_ACCOUNT_ID` | the emulator's account |
/// | `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and others | lead the AWS SDKs to the emulator: [`Workplace::environment`] |
/// | `OUTPUT_VARIABLES`, `SUMMARY`, `REVISION`, `EXTERNAL_EXECUTION_ID` | files for [`results`] |
/// | the action's environment variables | their values; those of Secrets Manager come from `--secret` |
///
/// In names, letters become upper case, and every character that is not a letter or a digit becomes `_`.
pub(super) fn environment(
    task: &Task,
    folders: &Folders,
    work: &Workplace,
) -> Result<BTreeMap<String, String>, Failed> {
    let mut all = BTreeMap::new();
    let mut set = |name: String, value: String| drop(all.insert(name, value));
    for (kind, artifacts, places) in
        [("INPUT", &task.inputs, &folders.inputs), ("OUTPUT", &task.outputs, &folders.outputs)]
    {
        for (artifact, place) in artifacts.iter().zip(places) {
            let name = format!("{kind}_{}", upper(&artifact.name));
            if let Some(revision) = &artifact.revision {
                set(format!("{name}_REVISION"), revision.clone());
            }
            set(name, place.display().to_string());
        }
    }
    for (key, value) in &task.configuration {
        set(format!("CONFIG_{}", upper(key)), value.clone());
    }
    for variable in &task.environment {
        set(variable.name.clone(), value(variable, work)?);
    }
    // These come last: an action's own variable can't take the place of the command's interface.
    let arn = format!("arn:aws:codepipeline:{}:{}:{}", task.region, task.account_id, task.pipeline);
    for (name, value) in [
        ("ACTION_TYPE", task.action_type.name()),
        ("PIPELINE_NAME", task.pipeline.clone()),
        ("PIPELINE_ARN", arn),
        ("PIPELINE_EXECUTION_ID", task.pipeline_execution_id.clone()),
        ("STAGE_NAME", task.stage.clone()),
        ("ACTION_NAME", task.action.clone()),
        ("ACTION_EXECUTION_ID", task.action_execution_id.clone()),
        ("AWS_ACCOUNT_ID", task.account_id.clone()),
    ] {
        set(name.to_owned(), value);
    }
    for file in results::FILES {
        set(file.to_owned(), folders.results.join(file).display().to_string());
    }
    let all = with_variables(work.environment().clone(), all);
    if let Some((name, _)) = all.iter().find(|(_, value)| value.contains('\0')) {
        return Err(Failed::configuration(format!("The value of {name} has a NUL character; remove it")));
    }
    Ok(all)
}

fn value(variable: &EnvironmentVariable, work: &Workplace) -> Result<String, Failed> {
    let EnvironmentVariable { name, value, kind } = variable;
    if *kind == EnvironmentVariableKind::Plaintext {
        return Ok(value.clone());
    }
    let secret = work.secret(value).map(|secret| secret.expose_secret().to_owned());
    let missing = || {
        let flag = in_quotes(&format!("{value}=ENV"));
        let message = format!("The environment variable {name} needs the secret '{value}': add --secret {flag}");
        Failed::configuration(message)
    };
    secret.ok_or_else(missing)
}

fn upper(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}
