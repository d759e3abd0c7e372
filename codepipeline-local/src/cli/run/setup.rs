//! Creates what a pipeline needs in the emulator, and the pipeline itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::declared::created_type;
use super::flags::Wanted;
use super::masked::{is_masked, unmask};
use super::plan::{Action, Plan};
use super::runner::Runner;
use crate::engine::Settings;
use crate::providers::{ActionTypeId, ObjectRef, source};
use crate::server::Emulator;
use crate::template::{Pipeline, Project};

/// How many artifacts a custom type may have at most (API reference, "ArtifactDetails").
const MOST_ARTIFACTS: u8 = 5;

/// The emulator's behaviour in a run: nothing starts on its own, and a continued job comes back soon.
pub(super) fn settings() -> Settings {
    Settings {
        start_on_create: false,
        source_poll: None,
        continuation_delay: Duration::from_secs(1),
        ..Settings::default()
    }
}

/// Creates action types, buckets, the objects of S3 sources, and the pipeline. Returns notes for the user.
pub(super) async fn create(
    emulator: &Emulator,
    plan: &Plan,
    pipeline: &Pipeline,
    (project, wanted): (&Project, &Wanted),
) -> Result<Vec<String>, String> {
    let mut notes = create_types(emulator, plan, pipeline, project).await?;
    let store = emulator.store().ok_or("the emulator has ended")?;
    for (bucket, known) in &project.buckets {
        let id = &known.logical_id;
        let failed = |error| {
            format!("could not create the bucket {bucket} of the resource {id}: {error}; correct its BucketName")
        };
        store.create_bucket(bucket).map_err(failed)?;
    }
    for (stage, action) in plan.actions() {
        let bucket = deploys_to(action).map(|name| with_variables(name, pipeline, wanted));
        let Some(bucket) = bucket.filter(|name| !name.contains("#{")) else { continue };
        let failed = |error| format!("could not create the bucket {bucket} of {}/{}: {error}", stage.name, action.name);
        store.create_bucket(&bucket).map_err(failed)?;
    }
    for (_, action) in plan.actions() {
        if let Runner::Bucket { folder, bucket, key } = &action.runner {
            let [bucket, key] = [bucket, key].map(|text| with_variables(text, pipeline, wanted));
            notes.extend(
                put_source(emulator, folder, &bucket, &key)
                    .await
                    .map_err(|why| format!("could not store the source {}: {why}", action.name))?,
            );
        }
    }
    let (mut declaration, left_out) = runnable(&pipeline.declaration);
    notes.extend(left_out);
    notes.extend(unmask(&mut declaration, plan, pipeline, wanted));
    for disabled in &pipeline.disabled_transitions {
        let stage = &disabled.stage;
        notes.push(format!("the template disables the transition into {stage}; this run ignores that"));
    }
    let mut input = json!({"pipeline": declaration});
    if !pipeline.tags.is_null() {
        input["tags"] = pipeline.tags.clone();
    }
    let created = emulator.call("CreatePipeline", &input).await;
    created.map_err(|why| format!("the emulator refuses the pipeline {}: {why}", plan.pipeline))?;
    Ok(notes)
}

/// Creates the custom types of the file, and those that only its actions show.
async fn create_types(
    emulator: &Emulator,
    plan: &Plan,
    pipeline: &Pipeline,
    project: &Project,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    let mut created = BTreeSet::new();
    for input in &project.action_types {
        let id = created_type(input);
        let name = id.name();
        let answer = emulator.call("CreateCustomActionType", input).await;
        answer.map_err(|why| format!("the emulator refuses the action type {name}: {why}"))?;
        created.insert(id);
    }
    for (_, action) in plan.actions() {
        let polled = matches!(action.runner, Runner::Worker | Runner::Polling(_));
        if !polled || !created.insert(action.id.clone()) {
            continue;
        }
        let input = made_up(&action.id, pipeline);
        let name = action.id.name();
        let answer = emulator.call("CreateCustomActionType", &input).await;
        answer.map_err(|why| format!("the emulator refuses the action type {name}: {why}"))?;
        notes.push(format!(
            "the file does not define the action type {name}; its properties are those that the actions use"
        ));
    }
    Ok(notes)
}

/// A definition that fits all actions of the type. Its secrets are the masked values. None of its properties can be queried.
fn made_up(id: &ActionTypeId, pipeline: &Pipeline) -> Value {
    let is_of_type = |action: &Value| {
        let known = &action["actionTypeId"];
        known["category"] == *id.category && known["provider"] == *id.provider && known["version"] == *id.version
    };
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let actions = items(&pipeline.declaration["stages"]).into_iter().flat_map(|stage| items(&stage["actions"]));
    let mut properties = BTreeMap::new();
    for action in actions.filter(is_of_type) {
        for name in action["configuration"].as_object().into_iter().flat_map(Map::keys) {
            *properties.entry(name.clone()).or_default() |= is_masked(pipeline, &action, name);
        }
    }
    let property =
        |(name, secret): (String, bool)| json!({"name": name, "required": false, "key": false, "secret": secret});
    let any = json!({"minimumCount": 0, "maximumCount": MOST_ARTIFACTS});
    json!({
        "category": id.category, "provider": id.provider, "version": id.version,
        "configurationProperties": properties.into_iter().map(property).collect::<Vec<_>>(),
        "inputArtifactDetails": any, "outputArtifactDetails": any,
    })
}

/// The bucket of an action that the emulator deploys to S3. Variables may be in its name. `None` for other actions.
pub(super) fn deploys_to(action: &Action) -> Option<&str> {
    let is_emulated = matches!(action.runner, Runner::Emulator(_)) && action.id.is_aws("Deploy", "S3");
    action.declaration["configuration"]["BucketName"].as_str().filter(|_| is_emulated)
}

/// The text with the values of the pipeline's variables. References to other variables stay, because only the execution has them.
fn with_variables(text: &str, pipeline: &Pipeline, wanted: &Wanted) -> String {
    let declared = pipeline.declaration["variables"].as_array().into_iter().flatten();
    let values = declared.filter_map(|variable| {
        let name = variable["name"].as_str()?;
        let given = wanted.variables.get(name).map(String::as_str);
        Some((name, given.or(variable["defaultValue"].as_str())?))
    });
    values.fold(text.to_owned(), |text, (name, value)| text.replace(&format!("#{{variables.{name}}}"), value))
}

/// Stores a zip of the folder as the object of an S3 source. Returns what is left out of it.
async fn put_source(emulator: &Emulator, folder: &Path, bucket: &str, key: &str) -> Result<Vec<String>, String> {
    let store = emulator.store().ok_or("the emulator has ended")?;
    store.create_bucket(bucket).map_err(|error| format!("could not create the bucket {bucket}: {error}"))?;
    let work = tempfile::TempDir::with_prefix("codepipeline-local-").map_err(|error| error.to_string())?;
    let (zip, notes) = source::zip_of(folder, work.path()).await?;
    let place = ObjectRef { bucket: bucket.to_owned(), key: key.to_owned() };
    store.store_zip(&zip, &place).await.map_err(|error| error.to_string())?;
    Ok(notes)
}

/// The declaration without the members that decide when a pipeline starts, or that check conditions around a stage. Returns notes on what
/// is left out.
fn runnable(declaration: &Value) -> (Value, Vec<String>) {
    let mut declaration = declaration.clone();
    let mut notes = Vec::new();
    let is_set = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    if let Some(members) = declaration.as_object_mut()
        && members.remove("triggers").is_some_and(|triggers| is_set(&triggers))
    {
        notes.push("the pipeline's triggers are left out: this run starts the execution".to_owned());
    }
    for stage in declaration["stages"].as_array_mut().into_iter().flatten() {
        let name = stage["name"].as_str().unwrap_or_default().to_owned();
        let Some(members) = stage.as_object_mut() else { continue };
        for member in ["beforeEntry", "onSuccess", "onFailure"] {
            if members.remove(member).is_some_and(|condition| is_set(&condition)) {
                notes.push(format!("{member} of the stage {name} is left out: no condition is checked here"));
            }
        }
    }
    (declaration, notes)
}

/// Starts the execution and returns its `pipelineName` and `pipelineExecutionId`.
pub(super) async fn start(
    emulator: &Emulator,
    pipeline: &str,
    variables: &BTreeMap<String, String>,
) -> Result<Value, String> {
    let variables: Vec<Value> = variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let mut input = json!({"name": pipeline});
    if !variables.is_empty() {
        input["variables"] = json!(variables);
    }
    let started = emulator.call("StartPipelineExecution", &input).await;
    let started = started.map_err(|why| format!("the emulator refuses to start the pipeline {pipeline}: {why}"))?;
    Ok(json!({"pipelineName": pipeline, "pipelineExecutionId": started["pipelineExecutionId"]}))
}
