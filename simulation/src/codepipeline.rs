//! CodePipeline: the emulator's engine and its API, called in process, and the effects that the engine asks for.

use std::sync::Arc;

use codepipeline_local::api;
use codepipeline_local::engine::{Effect, SourceRevision};
use codepipeline_local::types::Timestamp;
use serde_json::{Value, json};

use crate::network::Request;
use crate::service::Reply;
use crate::trace::MARKER;
use crate::witness::Landed;
use crate::world::World;
use crate::{lambda, lock, witness};

/// The job's state, as the API names it.
pub(crate) fn job_status(world: &World, job: &str) -> Option<&'static str> {
    let mut engine = lock(&world.engine);
    engine.advance(world.clock.timestamp());
    engine.job_status(job)
}

/// Whether a job in this state has ended.
pub(crate) fn is_over(status: &str) -> bool {
    matches!(status, "Succeeded" | "Failed" | "TimedOut")
}

/// Whether a job in this state is not acknowledged, but was offered or may be soon.
pub(crate) fn is_on_offer(status: &str) -> bool {
    matches!(status, "Queued" | "Dispatched")
}

/// Lets a worker's request take effect.
pub(crate) fn answer(world: &Arc<World>, request: &Request, operation: &str) -> Reply {
    let input: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let job = input["jobId"].as_str().unwrap_or_default();
    let before = job_status(world, job);
    let (status, mut output) = call(world, operation, &request.body);
    let after = job_status(world, job);
    let mut told = output["__type"].as_str().unwrap_or_default().to_owned();
    if status == 200 {
        match operation {
            "AcknowledgeJob" | "AcknowledgeThirdPartyJob" => {
                output["status"].as_str().unwrap_or_default().clone_into(&mut told);
                if output["status"] == "InProgress" {
                    witness::acknowledged(world, job, request.invocation);
                    lock(&world.meter).acknowledged(job, world.clock.elapsed());
                }
            }
            "PollForJobs" | "PollForThirdPartyJobs" => {
                let ids = output["jobs"].as_array().into_iter().flatten();
                let ids: Vec<_> = ids.filter_map(|job| job["id"].as_str().or(job["jobId"].as_str())).collect();
                let provider = input.pointer("/actionTypeId/provider").and_then(Value::as_str).unwrap_or_default();
                witness::offered(world, &ids, provider, request);
                lock(&world.meter).offered(executions_of(&output));
                told = ids.join(" ");
            }
            _ => {}
        }
        mark_secrets(&mut output);
    }
    if operation.starts_with("Put") && !before.is_some_and(is_over) && after.is_some_and(is_over) {
        let landed = landed(&input);
        told = format!("{landed:?}");
        witness::result(world, job, before, request.invocation, &landed);
        lock(&world.meter).reported(world.clock.elapsed());
    }
    if operation.starts_with("Put") && status != 200 {
        witness::refused(world, job, before, request.invocation);
    }
    settle(world);
    let body = if output.is_null() { Vec::new() } else { output.to_string().into_bytes() };
    Reply::new(status, body).telling(told)
}

/// The jobs in the response to a poll, each with its action execution. Third-party jobs name none.
fn executions_of(output: &Value) -> Vec<(String, String)> {
    let jobs = output["jobs"].as_array().into_iter().flatten();
    let named = jobs.filter_map(|job| {
        let execution = job.pointer("/data/pipelineContext/action/actionExecutionId")?.as_str()?;
        Some((job["id"].as_str()?.to_owned(), execution.to_owned()))
    });
    named.collect()
}

fn landed(input: &Value) -> Landed {
    let failure = &input["failureDetails"];
    if failure.is_object() {
        return Landed::Failure(failure["message"].as_str().unwrap_or_default().to_owned());
    }
    if input["continuationToken"].is_string() { Landed::Continuation } else { Landed::Success }
}

fn call(world: &World, operation: &str, body: &[u8]) -> (u16, Value) {
    let target = format!("CodePipeline_20150709.{operation}");
    let reply = api::answer(&mut lock(&world.engine), world.clock.timestamp(), &target, body);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

/// A request of a pipeline's owner. No fault affects it, and its effects are complete when this returns.
pub(crate) fn owner(world: &Arc<World>, operation: &str, input: &Value) -> Result<Value, String> {
    let (status, output) = call(world, operation, input.to_string().as_bytes());
    settle(world);
    if status == 200 { Ok(output) } else { Err(format!("{operation}: {output}")) }
}

/// The engine's credentials look like AWS's. Here each contains the marker of secrets.
fn mark_secrets(output: &mut Value) {
    match output {
        Value::Object(members) => {
            let id = members.get("accessKeyId").and_then(Value::as_str).map(str::to_owned);
            if let Some(id) = id.filter(|_| members.contains_key("secretAccessKey")) {
                members.insert("secretAccessKey".to_owned(), format!("{MARKER}-key-of-{id}").into());
                members.insert("sessionToken".to_owned(), session_token(&id).into());
            }
            members.values_mut().for_each(mark_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(mark_secrets),
        _ => {}
    }
}

/// The parts of a job's credentials that S3 checks, besides the access key id.
pub(crate) fn session_token(access_key_id: &str) -> String {
    format!("{MARKER}-session-of-{access_key_id}")
}

/// Carries out the engine's effects, and adds the next moment at which the engine acts on its own.
pub(crate) fn settle(world: &Arc<World>) {
    loop {
        let effects = lock(&world.engine).take_effects();
        if effects.is_empty() {
            break;
        }
        for effect in effects {
            perform(world, effect);
        }
    }
    let Some(Timestamp(due)) = lock(&world.engine).next_due() else { return };
    let mut entered = lock(&world.engine_due);
    if entered.is_some_and(|entered| entered <= due) {
        return;
    }
    *entered = Some(due);
    let delay = due.saturating_sub(world.clock.timestamp().0);
    world.after(delay, "CodePipeline by itself".to_owned(), |world| {
        *lock(&world.engine_due) = None;
        lock(&world.engine).advance(world.clock.timestamp());
        settle(world);
    });
}

fn perform(world: &Arc<World>, effect: Effect) {
    match effect {
        Effect::CopySource { id, from, to, .. } => {
            let result = lock(&world.objects).copy(&from, &to, world.clock.timestamp().0);
            let revision = SourceRevision { revision: result, ..SourceRevision::default() };
            lock(&world.engine).source_finished(world.clock.timestamp(), id, Ok(revision));
        }
        Effect::Event(event) => lambda::tell(world, &event),
        Effect::InvokeFunction { job, .. } => {
            let event = api::job_event(&mut lock(&world.engine), world.clock.timestamp(), &job);
            let Some(mut event) = event else { return };
            mark_secrets(&mut event);
            witness::invoked(world, &job);
            let mut random = world.random(&format!("delivery {job}"));
            let times = if random.chance(world.lot.invoked_twice) && world.is_troubled() { 2 } else { 1 };
            for time in 0..times {
                let delay = random.range(1, 2_000) + time * random.range(0, 300_000);
                lambda::wake_with(world, delay, format!("job {job} {time}"), &event);
            }
        }
        // A bucket exists once it holds an object. The settings here don't look for outputs.
        _ => {}
    }
}

/// How many functions the execution waits for.
pub(crate) fn functions_waited_for(world: &Arc<World>, pipeline: &str, execution: &str) -> usize {
    let input = json!({"pipelineName": pipeline, "filter": {"pipelineExecutionId": execution}});
    let listed = owner(world, "ListActionExecutions", &input).unwrap_or_default();
    let actions = listed["actionExecutionDetails"].as_array().into_iter().flatten();
    let is_waiting = |action: &&Value| {
        let of = |at: &str| action.pointer(at).and_then(Value::as_str);
        of("/status") == Some("InProgress") && of("/input/actionTypeId/category") == Some("Invoke")
    };
    actions.filter(is_waiting).count()
}

/// The state of every execution of the pipeline.
pub(crate) fn executions(world: &Arc<World>, pipeline: &str) -> Vec<(String, String)> {
    let Ok(listed) = owner(world, "ListPipelineExecutions", &json!({"pipelineName": pipeline})) else {
        return Vec::new();
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let summaries = listed["pipelineExecutionSummaries"].as_array().cloned().unwrap_or_default();
    summaries.iter().map(|one| (text(&one["pipelineExecutionId"]), text(&one["status"]))).collect()
}
