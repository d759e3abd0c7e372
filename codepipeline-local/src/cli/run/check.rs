//! Checks the plan and the flags before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::flags::Wanted;
use super::mistake::{Flag, Mistake};
use super::outputs;
use super::plan::{Action, Plan, Stage};
use super::runner::Runner;
use super::setup;
use crate::api::nearest;
use crate::providers::DeployS3;
use crate::quoted::word;
use crate::runtime_api::check_command;
use crate::template::Pipeline;
use crate::types::BUCKET_RULE;

/// Returns every mistake that shows without a run: actions without a runner, missing folders and commands, wrong deployments,
/// unknown variables.
pub(super) fn mistakes(plan: &Plan, pipeline: &Pipeline, wanted: &Wanted, output: Option<&Path>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (stage, action) in plan.actions() {
        let path = format!("{}/{}", stage.name, action.name);
        match &action.runner {
            Runner::Missing { what, flag } => mistakes.push(Mistake::missing(&format!("{path}: {what}"), flag.clone())),
            Runner::Wrong(what) => mistakes.push(Mistake::new(format!("{path}: {what}"))),
            _ => {}
        }
    }
    mistakes.extend(plan.actions().filter_map(|(stage, action)| bucket(stage, action)));
    for (action, folder) in &wanted.sources {
        if !folder.is_dir() {
            let why = if folder.exists() { "is a file" } else { "does not exist" };
            mistakes.push(Mistake::new(format!("--source {action}: {} {why}; name a folder", folder.display())));
        }
    }
    let commands = wanted.workers.iter().map(|command| ("--worker".to_owned(), command));
    let functions = wanted.functions.iter().map(|(name, command)| (format!("--function {name}"), command));
    for (flag, command) in commands.chain(functions) {
        let checked = check_command(&command.0, &wanted.env);
        mistakes.extend(checked.err().map(|why| Mistake::new(format!("{flag}: {why}"))));
    }
    mistakes.extend(deployments(plan));
    mistakes.extend(variables(&pipeline.declaration, wanted));
    mistakes.extend(output.and_then(|folder| outputs::check(folder).err()).map(Mistake::new));
    mistakes.extend(output.into_iter().flat_map(|folder| replaced(folder, wanted)).map(Mistake::new));
    mistakes
}

/// A name that no bucket of S3 may have. Variables are resolved later.
fn bucket(stage: &Stage, action: &Action) -> Option<Mistake> {
    let (key, bucket) = match &action.runner {
        Runner::Bucket { bucket, .. } => ("S3Bucket", bucket.as_str()),
        _ => ("BucketName", setup::deploys_to(action)?),
    };
    let is_valid = bucket.contains("#{") || s3s::path::check_bucket_name(bucket);
    let path = format!("{}/{}", stage.name, action.name);
    (!is_valid).then(|| {
        Mistake::new(format!(
            "{path}: {key} is {bucket:?}, which is not the name of a bucket: {BUCKET_RULE}; correct it in the file, or add --skip {}",
            word(&path)
        ))
    })
}

/// The mistakes in the configuration of actions that deploy to S3.
fn deployments(plan: &Plan) -> impl Iterator<Item = Mistake> {
    let deploys = |action: &Action| matches!(action.runner, Runner::Emulator(_)) && action.id.is_aws("Deploy", "S3");
    plan.actions().filter(move |(_, action)| deploys(action)).filter_map(|(stage, action)| {
        // The emulator refuses one of the wrong form later.
        let declared = BTreeMap::deserialize(&action.declaration["configuration"]).ok()?;
        let what = DeployS3::mistake(&action.name, &declared)?;
        Some(Mistake::new(format!("{}/{}: {what}", stage.name, action.name)))
    })
}

/// The sources that `--output` would replace.
fn replaced(output: &Path, wanted: &Wanted) -> Vec<String> {
    let Ok(whole) = output.canonicalize() else { return Vec::new() };
    let is_below = |folder: &&PathBuf| folder.canonicalize().is_ok_and(|folder| folder.starts_with(&whole));
    let sources = wanted.sources.iter().filter(|(_, folder)| is_below(folder));
    let shown = output.display();
    sources
        .map(|(action, folder)| {
            let folder = folder.display();
            format!(
                "--source {action}: {folder} is in the folder of --output, whose content the run replaces; name another \
                 --output than {shown}"
            )
        })
        .collect()
}

/// Compares `--variable` with the variables that the pipeline declares.
fn variables(declaration: &Value, wanted: &Wanted) -> Vec<Mistake> {
    let declared: Vec<&Value> = declaration["variables"].as_array().into_iter().flatten().collect();
    let names: Vec<&str> = declared.iter().filter_map(|variable| variable["name"].as_str()).collect();
    let unknown = wanted.variables.keys().filter(|name| !names.contains(&name.as_str())).map(|name| {
        let hint = nearest(name, names.iter().copied());
        let hint = hint.map_or_else(String::new, |known| format!("; did you mean {known}?"));
        Mistake::new(format!("--variable {name}: the pipeline declares no variable of this name{hint}"))
    });
    let missing = declared.iter().filter(|variable| variable["defaultValue"].is_null()).filter_map(|variable| {
        let name = variable["name"].as_str()?;
        let what = || format!("the variable {name} has no default value");
        let flag = || Flag::new(format!("--variable {}", word(&format!("{name}=VALUE"))));
        (!wanted.variables.contains_key(name)).then(|| Mistake::missing(&what(), flag()))
    });
    unknown.chain(missing).collect()
}
