//! Scenarios over [`answer`](super::answer): requests as JSON and a manual clock. Each reply is compared with the
//! model's output shape, and each error with the operation's list.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    answer,
    model::{Kind, MODEL},
    validate::validate,
};
use crate::{
    engine::{Effect, Engine, Settings, SourceError, SourceRevision},
    types::Timestamp,
};

mod action_types;
mod constraints;
mod control;
mod events;
mod every_member;
mod executions;
mod halts;
mod histories;
mod invocations;
mod jobs;
mod limits;
mod masks;
mod members;
mod pipelines;
mod polling;
mod provided;
mod provided_ends;
mod requests;
mod restarts;
mod sources;
mod steps;
mod structures;
mod tags;
mod third_party;
mod values;

/// Errors of the protocol, which every operation may return in addition to its modelled errors.
const ANYWHERE: [&str; 2] = ["SerializationException", "ValidationException"];

/// Errors that the service returns although the model does not list them for the operation.
const UNMODELLED: [(&str, &str); 3] = [
    ("CreateCustomActionType", "ActionTypeAlreadyExistsException"),
    ("CreateCustomActionType", "InvalidActionTypeException"),
    ("UpdatePipeline", "ResourceNotFoundException"),
];

struct Local {
    engine: Engine,
    now: Timestamp,
}

impl Local {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        Self { engine: Engine::new(settings, 7), now: Timestamp(1_700_000_000_000) }
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// The operation's result (null for an operation without one), or the error's name and message.
    fn try_call(&mut self, operation: &str, input: &Value) -> Result<Value, (String, String)> {
        let target = format!("CodePipeline_20150709.{operation}");
        let reply = answer(&mut self.engine, self.now, &target, input.to_string().as_bytes());
        let body: Value =
            if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() };
        let modelled = &MODEL.operations[operation];
        if reply.status == 200 {
            match &modelled.output {
                // The extra members are not in the model.
                Some(_) if self.engine.settings.extra_members => {}
                Some(shape) => {
                    validate(&body, shape, 50_000).unwrap_or_else(|error| panic!("{operation}: {error}"));
                    all_known(&body, shape, operation);
                }
                None => assert_eq!(body, Value::Null, "{operation} has no result"),
            }
            return Ok(body);
        }
        assert_eq!(reply.status, 400);
        let text = |member: &str| body[member].as_str().unwrap().to_owned();
        let name = text("__type");
        let known = modelled.errors.contains(&name)
            || ANYWHERE.contains(&name.as_str())
            || UNMODELLED.contains(&(operation, name.as_str()));
        assert!(known, "{operation} has no {name}");
        Err((name, text("message")))
    }

    fn call(&mut self, operation: &str, input: &Value) -> Value {
        self.try_call(operation, input).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// Makes a call that must fail. Returns the error's name and message.
    fn refused(&mut self, operation: &str, input: &Value) -> (String, String) {
        self.try_call(operation, input).expect_err("this call is refused")
    }

    fn start(&mut self, pipeline: &str) -> String {
        self.call("StartPipelineExecution", &json!({"name": pipeline}))["pipelineExecutionId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Answers all requested copies. Returns their number.
    fn finish_sources(&mut self, result: &Result<SourceRevision, SourceError>) -> usize {
        let effects = self.engine.take_effects();
        let copies: Vec<_> = effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::CopySource { id, .. } => Some(id),
                _ => None,
            })
            .collect();
        for id in &copies {
            self.engine.source_finished(self.now, *id, result.clone());
        }
        copies.len()
    }

    fn poll(&mut self, batch: u64) -> Vec<Value> {
        let reply = self.call("PollForJobs", &json!({"actionTypeId": type_id(), "maxBatchSize": batch}));
        reply["jobs"].as_array().unwrap().clone()
    }

    /// Polls one job and acknowledges it.
    fn claim(&mut self) -> Value {
        let job = self.poll(1).pop().expect("a job is on offer");
        assert_eq!(self.acknowledge(&job).unwrap(), "InProgress");
        job
    }

    fn acknowledge(&mut self, job: &Value) -> Result<String, String> {
        let input = json!({"jobId": job["id"], "nonce": job["nonce"]});
        self.try_call("AcknowledgeJob", &input)
            .map(|reply| reply["status"].as_str().unwrap().to_owned())
            .map_err(|(name, _)| name)
    }

    fn succeed(&mut self, job: &Value) {
        self.call("PutJobSuccessResult", &json!({"jobId": job["id"]}));
    }

    fn status(&mut self, pipeline: &str, execution: &str) -> String {
        let input = json!({"pipelineName": pipeline, "pipelineExecutionId": execution});
        let reply = self.call("GetPipelineExecution", &input);
        reply["pipelineExecution"]["status"].as_str().unwrap().to_owned()
    }

    /// The state of the action, with `latestExecution` and the other members.
    fn action(&mut self, pipeline: &str, stage: usize, action: usize) -> Value {
        self.call("GetPipelineState", &json!({"name": pipeline}))["stageStates"][stage]["actionStates"][action].clone()
    }
}

fn all_known(value: &Value, name: &str, path: &str) {
    let shape = MODEL.shape(name);
    match shape.kind {
        Kind::Structure => {
            for (member, value) in value.as_object().unwrap() {
                let known = shape.members.get(member);
                all_known(value, known.unwrap_or_else(|| panic!("{path}: {name} has no member {member}")), member);
            }
        }
        Kind::List => {
            for item in value.as_array().unwrap() {
                all_known(item, shape.member.as_ref().unwrap(), path);
            }
        }
        Kind::Map => {
            for item in value.as_object().unwrap().values() {
                all_known(item, shape.value.as_ref().unwrap(), path);
            }
        }
        _ => {}
    }
}

fn type_id() -> Value {
    json!({"category": "Test", "owner": "Custom", "provider": "Check", "version": "1"})
}

fn property(name: &str, required: bool, secret: bool, queryable: bool) -> Value {
    json!({"name": name, "required": required, "key": false, "secret": secret, "queryable": queryable})
}

/// A type with one required property and one optional secret property.
fn action_type() -> Value {
    json!({
        "category": "Test", "provider": "Check", "version": "1",
        "settings": {
            "entityUrlTemplate": "https://ci/{Config:Command}",
            "executionUrlTemplate": "https://ci/{Config:Command}/{ExternalExecutionId}",
        },
        "configurationProperties": [property("Command", true, false, false), property("Token", false, true, false)],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
    })
}

fn source() -> Value {
    json!({
        "name": "Fetch", "namespace": "src", "outputArtifacts": [{"name": "Source"}],
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
    })
}

fn check(name: &str, run_order: u32) -> Value {
    json!({
        "name": name, "actionTypeId": type_id(), "runOrder": run_order, "inputArtifacts": [{"name": "Source"}],
        "configuration": {"Command": "make"},
    })
}

/// A pipeline with the S3 source and another stage with these actions.
fn pipeline(name: &str, actions: &Value) -> Value {
    json!({"pipeline": {
        "name": name, "roleArn": "arn:aws:iam::123456789012:role/pipeline",
        "artifactStore": {"type": "S3", "location": "store"},
        "stages": [{"name": "Source", "actions": [source()]}, {"name": "Test", "actions": actions}],
    }})
}

fn found() -> Result<SourceRevision, SourceError> {
    Ok(SourceRevision {
        revision: "v1".to_owned(),
        etag: Some("abc".to_owned()),
        version_id: Some("v1".to_owned()),
        summary: None,
    })
}

/// An emulator with the action type and a started pipeline `web` of these actions, whose source was copied.
fn running(change: impl FnOnce(&mut Settings), actions: &Value) -> (Local, String) {
    let mut local = Local::with(change);
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", actions));
    let execution = local.start("web");
    assert_eq!(local.finish_sources(&found()), 1);
    (local, execution)
}
