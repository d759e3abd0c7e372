//! The configuration of a Step Functions action.

use std::io::Read;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::super::archive::{Limits, in_background, unpack};
use super::super::{Failed, Task, Workplace};

/// The longest input, in bytes (Step Functions Developer Guide, "Quotas").
const MAX_INPUT: u64 = 262_144;

/// The start of an execution.
pub(super) struct Configuration {
    pub(super) state_machine_arn: String,
    /// The name of the execution.
    pub(super) name: String,
    pub(super) input: String,
}

impl Configuration {
    /// Reads the configuration, and the input's file from the artifact.
    pub(super) async fn of(task: &Task, work: &Workplace) -> Result<Self, Failed> {
        let given = |key: &str| task.configuration.get(key).filter(|value| !value.is_empty());
        let wrong = |what: &str| Failed::configuration(format!("{what} of the Step Functions action {}", task.action));
        let arn = given("StateMachineArn").ok_or_else(|| wrong("Add StateMachineArn to the configuration"))?;
        let id = &task.action_execution_id;
        let name = given("ExecutionNamePrefix").map_or_else(|| id.clone(), |prefix| format!("{prefix}-{id}"));
        let input = match given("InputType").map(String::as_str) {
            None | Some("Literal") => given("Input").cloned().unwrap_or_else(|| "{}".to_owned()),
            Some("FilePath") => {
                let path =
                    given("Input").ok_or_else(|| wrong("With InputType=FilePath, add Input to the configuration"))?;
                let artifact = task.inputs.first();
                let artifact =
                    artifact.ok_or_else(|| wrong("With InputType=FilePath, add an input artifact to the pipeline"))?;
                let file = work.read_input(artifact).await?;
                let failed = |why: String| {
                    let name = &artifact.name;
                    Failed::configuration(format!("Could not read the file of Input in the artifact {name}: {why}"))
                };
                read(file, work.folder().join("input"), PathBuf::from(path)).await.map_err(failed)?
            }
            Some(_) => return Err(wrong("InputType must be Literal or FilePath in the configuration")),
        };
        Ok(Self { state_machine_arn: arn.clone(), name, input })
    }
}

/// Unpacks an artifact and reads one of its files.
async fn read(artifact: PathBuf, into: PathBuf, path: PathBuf) -> Result<String, String> {
    let read = in_background(move |stop| {
        unpack(&artifact, &into, &Limits { stop, ..Limits::default() })?;
        Ok(text_of(&into, &path))
    });
    read.await.map_err(|problem| problem.to_string())?
}

/// Reads a file inside the folder. Links that lead out of it fail.
fn text_of(folder: &Path, path: &Path) -> Result<String, String> {
    let opened = Dir::open_ambient_dir(folder, ambient_authority()).and_then(|folder| folder.open(path));
    let mut text = String::new();
    let read = opened.and_then(|file| file.take(MAX_INPUT + 1).read_to_string(&mut text));
    let length = read.map_err(|error| error.to_string())?;
    if length as u64 > MAX_INPUT {
        return Err(format!("it has more than {MAX_INPUT} bytes, which Step Functions refuses"));
    }
    Ok(text)
}
