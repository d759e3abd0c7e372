//! Observes a request's reply and the state after it.

use std::collections::BTreeSet;

use super::super::*;
use super::{paths::Member, scenarios, worlds};

/// The members that replies had.
#[derive(Default)]
pub(super) struct Seen(BTreeSet<(String, String)>);

impl Seen {
    pub(super) fn has(&self, shape: &str, member: &str) -> bool {
        self.0.contains(&(shape.to_owned(), member.to_owned()))
    }

    fn add(&mut self, value: &Value, name: &str) {
        let shape = MODEL.shape(name);
        match value {
            Value::Object(members) if shape.kind == Kind::Structure => {
                for (member, value) in members {
                    self.0.insert((name.to_owned(), member.clone()));
                    self.add(value, &shape.members[member]);
                }
            }
            Value::Object(entries) => {
                entries.values().for_each(|value| self.add(value, shape.value.as_ref().unwrap()));
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item, shape.member.as_ref().unwrap())),
            _ => {}
        }
    }
}

/// The reply, and the readable state after it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    answer: Result<String, (String, String)>,
    after: Vec<String>,
}

impl Outcome {
    /// Whether the validator refused the request, so that nothing used it.
    pub(super) fn is_invalid(&self) -> bool {
        self.answer
            .as_ref()
            .is_err_and(|(name, message)| name == "SerializationException" || message.contains("detected:"))
    }

    pub(super) fn refuses(&self, member: &Member) -> bool {
        let named = format!("has {}, which codepipeline-local does not emulate", member.member);
        self.answer.as_ref().is_err_and(|(_, message)| message.contains(&named))
    }
}

pub(super) fn observe(local: &mut Local, operation: &str, input: &Value, seen: &mut Seen) -> Outcome {
    let answer = ask(local, operation, input, seen).map(|reply| reply.to_string());
    let mut after = Vec::new();
    look(local, seen, &mut after);
    // Continuations become ready, and offers expire.
    local.wait(31);
    look(local, seen, &mut after);
    for (operation, input) in scenarios::polls() {
        let polled = ask(local, operation, &input, seen);
        after.push(format!("{polled:?}"));
        if let (Ok(polled), "PollForThirdPartyJobs") = (polled, operation) {
            for job in polled["jobs"].as_array().unwrap() {
                let details = json!({"jobId": job["jobId"], "clientToken": worlds::TOKEN});
                after.push(format!("{:?}", ask(local, "GetThirdPartyJobDetails", &details, seen)));
            }
        }
    }
    Outcome { answer, after }
}

fn ask(local: &mut Local, operation: &str, input: &Value, seen: &mut Seen) -> Result<Value, (String, String)> {
    let reply = local.try_call(operation, input)?;
    if let Some(shape) = &MODEL.operations[operation].output {
        seen.add(&reply, shape);
    }
    Ok(reply)
}

/// Reads the whole state.
fn look(local: &mut Local, seen: &mut Seen, all: &mut Vec<String>) {
    let mut read = |local: &mut Local, operation: &str, input: &Value| {
        let reply = ask(local, operation, input, seen);
        all.push(format!("{operation} {reply:?}"));
        reply.unwrap_or_default()
    };
    let listed = read(local, "ListPipelines", &json!({}));
    for pipeline in listed["pipelines"].as_array().unwrap() {
        let name = &pipeline["name"];
        let state = read(local, "GetPipeline", &json!({"name": name}));
        read(local, "ListTagsForResource", &json!({"resourceArn": state["metadata"]["pipelineArn"]}));
        read(local, "GetPipelineState", &json!({"name": name}));
        read(local, "ListActionExecutions", &json!({"pipelineName": name}));
        let executions = read(local, "ListPipelineExecutions", &json!({"pipelineName": name}));
        for execution in executions["pipelineExecutionSummaries"].as_array().unwrap() {
            let id = &execution["pipelineExecutionId"];
            read(local, "GetPipelineExecution", &json!({"pipelineName": name, "pipelineExecutionId": id}));
        }
    }
    read(local, "ListActionTypes", &json!({}));
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/Check/1";
    read(local, "ListTagsForResource", &json!({"resourceArn": arn}));
    all.push(format!("{:?} {:?}", local.engine.take_effects(), local.engine.next_due()));
}
