//! Reads a build specification ("Buildspec syntax").

use super::members::{Mistake, Place, REFUSED, suggested};
use super::read_environment::{environment, old_environment};
use super::{Artifacts, Buildspec, Commands, Environment, FileSet, OnFailure, Phase, Version};
use crate::yaml;

const MEMBERS: [&str; 10] =
    ["version", "run-as", "env", "environment_variables", "proxy", "batch", "phases", "reports", "artifacts", "cache"];
const PHASE: [&str; 5] = ["run-as", "on-failure", "runtime-versions", "commands", "finally"];
const FILES: [&str; 8] = [
    "files",
    "name",
    "discard-paths",
    "base-directory",
    "exclude-paths",
    "enable-symlinks",
    "s3-prefix",
    "secondary-artifacts",
];
/// A build specification with what the user should know about it.
pub(crate) struct Spec {
    pub(crate) buildspec: Buildspec,
    /// The members that are ignored, each with its line.
    pub(crate) notes: Vec<String>,
}

/// Reads a build specification. `file` is its name in messages.
pub(crate) fn read(text: &str, file: &str) -> Result<Spec, Mistake> {
    let node = yaml::read(text).map_err(|unreadable| Mistake(unreadable.of(file)))?;
    let root = Place { file, path: String::new(), node: &node };
    if !node.is_map() {
        return Err(root.mistake("is not a buildspec: it must begin with members such as `version: 0.2` and `phases:`"));
    }
    let mut notes = Vec::new();
    let members = root.known_members(&MEMBERS, &mut notes)?;
    let find = |wanted: &str| members.iter().find(|(name, _)| *name == wanted).map(|(_, place)| place);
    for refused in REFUSED {
        if let Some(place) = find(refused) {
            return Err(refuse(refused, place));
        }
    }
    for (ignored, why) in [
        ("reports", "codepipeline-local has no report groups"),
        ("cache", "the folders of this machine stay as they are"),
        ("proxy", "builds use the network of this machine"),
    ] {
        if let Some(place) = find(ignored) {
            notes.push(format!("{place} is ignored: {why}"));
        }
    }
    let version = version(&root, find("version"))?;
    let environment = match (version, find("env"), find("environment_variables")) {
        (Version::Apart, _, Some(old)) => old_environment(old, &mut notes)?,
        (Version::Shared, _, Some(old)) => return Err(old.mistake("belongs to version 0.1: version 0.2 calls it env")),
        (_, Some(place), None) => environment(place, &mut notes)?,
        (_, None, None) => Environment::default(),
    };
    let phases = match find("phases") {
        Some(place) => phases(place, &root, &mut notes)?,
        None => return Err(root.mistake("has no phases: write `phases:` with build and its commands")),
    };
    let artifacts = find("artifacts").map(|place| artifacts(place, &mut notes)).transpose()?;
    Ok(Spec { buildspec: Buildspec { version, environment, phases, artifacts }, notes })
}

fn version(root: &Place<'_>, place: Option<&Place<'_>>) -> Result<Version, Mistake> {
    let Some(place) = place else {
        return Err(root.mistake("has no version: write `version: 0.2` into its first line"));
    };
    match place.text()?.as_str() {
        "0.1" => Ok(Version::Apart),
        "0.2" => Ok(Version::Shared),
        _ => Err(place.mistake("is unknown: write 0.2, or 0.1 for a shell for each command")),
    }
}

fn phases(place: &Place<'_>, root: &Place<'_>, notes: &mut Vec<String>) -> Result<Vec<(Phase, Commands)>, Mistake> {
    let known = Phase::ALL.map(Phase::member);
    let members = place.known_members(&known, notes)?;
    if members.is_empty() {
        let misplaced = root.members()?.into_iter().find(|(name, _)| suggested(name, &known).is_some());
        return Err(match misplaced {
            Some((name, misplaced)) => {
                misplaced.mistake(format!("belongs into phases, which is empty: indent {name} and its members"))
            }
            None => place.mistake(format!("has no phase: write one of {}", known.join(", "))),
        });
    }
    let mut phases = Vec::new();
    for (name, place) in members {
        if let Some(phase) = Phase::ALL.into_iter().find(|phase| phase.member() == name) {
            phases.push((phase, commands(phase, &place, notes)?));
        }
    }
    phases.sort_by_key(|(phase, _)| *phase);
    Ok(phases)
}

fn commands(phase: Phase, place: &Place<'_>, notes: &mut Vec<String>) -> Result<Commands, Mistake> {
    let mut commands = Commands::default();
    for (name, place) in place.known_members(&PHASE, notes)? {
        match name {
            "run-as" => return Err(refuse(name, &place)),
            "on-failure" => commands.on_failure = Some(on_failure(&place)?),
            "commands" => commands.commands = place.texts()?,
            "finally" => commands.finally = place.texts()?,
            _ if phase == Phase::Install => {
                notes.push(format!("{place} is ignored: commands find the programs of this machine"));
            }
            _ => notes.push(format!("{place} is ignored, because it is a member of install alone")),
        }
    }
    Ok(commands)
}

fn on_failure(place: &Place<'_>) -> Result<OnFailure, Mistake> {
    match place.text()?.as_str() {
        "ABORT" => Ok(OnFailure::Abort),
        "CONTINUE" => Ok(OnFailure::Continue),
        text if text.starts_with("RETRY") => {
            Err(place.mistake("is RETRY, which codepipeline-local does not have: write ABORT or CONTINUE"))
        }
        _ => Err(place.mistake("must be ABORT or CONTINUE")),
    }
}

fn artifacts(place: &Place<'_>, notes: &mut Vec<String>) -> Result<Artifacts, Mistake> {
    let mut artifacts = Artifacts { primary: file_set(place, notes)?, ..Artifacts::default() };
    let members = place.members()?;
    if let Some((_, secondary)) = members.iter().find(|(name, _)| *name == "secondary-artifacts") {
        for (identifier, place) in secondary.members()? {
            artifacts.secondary.insert(identifier.to_owned(), file_set(&place, notes)?);
        }
    }
    Ok(artifacts)
}

fn file_set(place: &Place<'_>, notes: &mut Vec<String>) -> Result<FileSet, Mistake> {
    let mut set = FileSet::default();
    for (name, place) in place.known_members(&FILES, notes)? {
        match name {
            "files" => set.files = place.texts()?,
            "exclude-paths" => set.exclude_paths = place.texts()?,
            "base-directory" => set.base_directory = Some(place.text()?).filter(|folder| !folder.is_empty()),
            "discard-paths" => set.discard_paths = place.yes()?,
            "enable-symlinks" => set.enable_symlinks = place.yes()?,
            "name" => set.name = Some(place.text()?),
            "s3-prefix" => notes.push(format!("{place} is ignored: CodePipeline chooses where artifacts are stored")),
            _ => {}
        }
    }
    Ok(set)
}

/// Refuses a member by its name.
fn refuse(name: &str, place: &Place<'_>) -> Mistake {
    match name {
        "run-as" => {
            place.mistake("is not supported: commands run as the user who started codepipeline-local; remove it")
        }
        _ => place.mistake("is not supported: codepipeline-local runs one build for an action; remove it"),
    }
}
