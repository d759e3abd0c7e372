//! Inputs and outputs for the tests of CodeBuild and Commands actions.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::testing::{Place, object, task};
use super::{Task, TaskArtifact, archive};

/// A task with these inputs, each with its files: their names and texts.
pub(super) async fn task_with(place: &Place, inputs: &[(&str, &[(&str, &str)])], outputs: &[&str]) -> Task {
    let mut stored = Vec::new();
    for (name, files) in inputs {
        stored.push(input(place, name, files).await);
    }
    Task { inputs: stored, outputs: outputs.iter().map(|name| object(name)).collect(), ..task() }
}

async fn input(place: &Place, name: &str, files: &[(&str, &str)]) -> TaskArtifact {
    let folder = TempDir::new().unwrap();
    let mut packed = Vec::new();
    for (index, (name, text)) in files.iter().enumerate() {
        let path = folder.path().join(index.to_string());
        fs::write(&path, text).unwrap();
        packed.push(((*name).to_owned(), path));
    }
    let zip = folder.path().join("zip");
    archive::pack(&packed, &zip, &archive::Stop::default()).unwrap();
    let artifact = TaskArtifact { revision: Some(format!("revision-of-{name}")), ..object(name) };
    place.work.store(&zip, &artifact.place, "application/zip").await.unwrap();
    artifact
}

/// The files of a stored artifact, each as `name: text`.
pub(super) async fn files(place: &Place, name: &str) -> Vec<String> {
    let zip = place.work.read(&object(name).place).await.unwrap();
    let folder = TempDir::new().unwrap();
    archive::unpack(&zip, folder.path(), &archive::Limits::default()).unwrap();
    let mut found = Vec::new();
    list(folder.path(), folder.path(), &mut found);
    found.sort();
    found
}

fn list(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().display();
            found.push(format!("{name}: {}", fs::read_to_string(&path).unwrap().trim_end()));
        }
    }
}

/// The texts of the lines that an action showed.
pub(super) fn texts(place: &Place) -> Vec<String> {
    place.lines().into_iter().map(|line| line.text).collect()
}
