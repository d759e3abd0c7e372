//! `--output`: the artifacts of the execution, unpacked.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::providers::ObjectRef;
use crate::providers::archive::{ArchiveProblem, Limits, in_background, unpack};
use crate::providers::source::OUTPUT_MARK as MARK;
use crate::server::Emulator;

/// Returns an error with what to type if the folder holds something that no earlier run left there.
pub(super) fn check(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(format!("--output {shown} is a file; name a folder"));
        }
        Err(error) => return Err(format!("--output {shown}: could not list the folder: {error}")),
    };
    let earlier = marked(folder);
    for entry in entries {
        let entry = entry.map_err(|error| format!("--output {shown}: could not list the folder: {error}"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != MARK && !earlier.contains(&name) {
            return Err(format!(
                "--output {shown}: the folder holds {name:?}, which no earlier run made; name a new or empty one"
            ));
        }
    }
    Ok(())
}

/// The artifacts of an earlier run. Other names than those of artifacts are left out (API reference, "ArtifactName").
fn marked(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(MARK)).unwrap_or_default();
    let mark: Value = serde_json::from_str(&text).unwrap_or_default();
    let is_artifact = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let names = mark["artifacts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter(is_artifact).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The folder of one run. No other run can open it until this is dropped.
pub(super) struct OutputFolder {
    path: PathBuf,
    /// The open mark, which is locked.
    _lock: File,
}

impl OutputFolder {
    /// Creates the folder if it does not exist. Returns an error with what to type if the run could not write to it, or if another run
    /// uses it.
    pub(super) fn open(folder: &Path) -> Result<Self, String> {
        let shown = folder.display();
        let failed = |what: &str, error: &io::Error| {
            format!("--output {shown}: could not {what}: {error}; name a folder that you may write to")
        };
        fs::create_dir_all(folder).map_err(|error| failed("create the folder", &error))?;
        // This file has no name, so nothing of it stays.
        tempfile::tempfile_in(folder).map_err(|error| failed("create a file there", &error))?;
        let mark = File::options().write(true).create(true).truncate(false).open(folder.join(MARK));
        let mark = mark.map_err(|error| failed(&format!("write {MARK}"), &error))?;
        match mark.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "--output {shown}: another run uses the folder; wait until it ends, or name another folder"
                ));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&format!("lock {MARK}"), &error)),
        }
        // Another run may have changed it since the first check.
        check(folder)?;
        Ok(Self { path: folder.to_owned(), _lock: mark })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The outcome for each artifact.
pub(super) struct Written {
    /// The names of those in the folder.
    pub(super) names: Vec<String>,
    /// Why others are not there.
    pub(super) problems: Vec<String>,
}

/// Unpacks every artifact of the execution into a folder of its name, and removes those of an earlier run. An artifact that is no archive
/// becomes a file of its name.
pub(super) async fn write(emulator: &Emulator, execution: &Value, folder: &OutputFolder) -> Result<Written, String> {
    let folder = folder.path();
    let artifacts = artifacts(emulator, execution).await?;
    let of_output = format!("--output {}", folder.display());
    let replaced = replace(folder, artifacts.keys().map(String::as_str));
    replaced.map_err(|error| format!("{of_output}: could not replace the artifacts of an earlier run: {error}"))?;
    let store = emulator.store().ok_or("the emulator has ended")?;
    // The files of the store are copied here. A run that a signal ends leaves nothing of them.
    let work = TempDir::with_prefix("codepipeline-local-").map_err(|error| error.to_string())?;
    let mut written = Written { names: Vec::new(), problems: Vec::new() };
    for (name, place) in artifacts {
        if !store.has(&place) {
            continue;
        }
        let packed = work.path().join(&name);
        let done = match store.read_into(&place, &packed).await {
            Ok(_) => unpack_or_copy(&packed, &folder.join(&name)).await,
            Err(error) => Err(format!("could not read it: {error}")),
        };
        // Keep no second copy of all artifacts.
        let _ = fs::remove_file(&packed);
        match done {
            Ok(()) => written.names.push(name),
            Err(problem) => written.problems.push(format!("{of_output}: artifact {name}: {problem}")),
        }
    }
    Ok(written)
}

async fn unpack_or_copy(packed: &Path, unpacked: &Path) -> Result<(), String> {
    let (from, into) = (packed.to_owned(), unpacked.to_owned());
    let done = in_background(move |stop| unpack(&from, &into, &Limits { stop, ..Limits::default() })).await;
    match done {
        Ok(()) => Ok(()),
        Err(ArchiveProblem::Kind | ArchiveProblem::GzipWithoutTar) => {
            // Nothing was unpacked, so the folder is absent or empty.
            let _ = fs::remove_dir(unpacked);
            let copied = tokio::fs::copy(packed, unpacked).await;
            copied.map(drop).map_err(|error| format!("could not write {}: {error}", unpacked.display()))
        }
        Err(problem) => Err(format!("could not unpack it: {problem}")),
    }
}

/// The places of the artifacts by name. If a stage ran twice, its last artifacts count.
async fn artifacts(emulator: &Emulator, execution: &Value) -> Result<BTreeMap<String, ObjectRef>, String> {
    let mut artifacts = BTreeMap::new();
    for details in super::progress::actions(emulator, execution).await? {
        for artifact in details["output"]["outputArtifacts"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let place = &artifact["s3location"];
            let place = ObjectRef { bucket: text(&place["bucket"]), key: text(&place["key"]) };
            artifacts.entry(text(&artifact["name"])).or_insert(place);
        }
    }
    Ok(artifacts)
}

/// Removes the artifacts of an earlier run, and marks the folder with the new ones.
fn replace<'a>(folder: &Path, artifacts: impl Iterator<Item = &'a str>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in marked(folder) {
        let earlier = folder.join(name);
        let removed = match fs::symlink_metadata(&earlier) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&earlier),
            Ok(_) => fs::remove_file(&earlier),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let note = "codepipeline-local run --output made these artifacts and replaces them";
    let mark = json!({"artifacts": artifacts.collect::<Vec<_>>(), "note": note});
    fs::write(folder.join(MARK), format!("{mark}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_of_another_run_is_refused_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("new/output");
        let first = OutputFolder::open(&output).unwrap();
        replace(&output, ["Site"].into_iter()).unwrap();
        let error = OutputFolder::open(&output).err().unwrap();
        assert!(error.contains("another run uses the folder"), "{error}");
        drop(first);
        assert!(OutputFolder::open(&output).is_ok());
        assert_eq!(marked(&output), ["Site"], "the mark stays");
    }

    #[test]
    fn folder_with_own_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        assert_eq!(check(&output), Ok(()), "it need not exist");
        replace(&output, ["Site"].into_iter()).unwrap();
        fs::create_dir(output.join("Site")).unwrap();
        assert_eq!(check(&output), Ok(()), "an earlier run made it");
        replace(&output, ["Other"].into_iter()).unwrap();
        assert!(!output.join("Site").exists());
        fs::write(output.join("mine"), "").unwrap();
        assert!(check(&output).unwrap_err().contains("name a new or empty one"));
        fs::write(output.join(MARK), r#"{"artifacts": ["..", ".git", "a/b", "", 7]}"#).unwrap();
        assert!(marked(&output).is_empty(), "these are no names of artifacts");
        assert!(check(&output).unwrap_err().contains("mine"));
        assert!(check(&output.join("mine")).unwrap_err().contains("is a file"));
    }
}
