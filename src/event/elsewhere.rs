//! Events of other services, and how an error names them without quoting them.

use serde_json::{Map, Value};

/// An event of another service, which the worker does not handle.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the worker takes scheduled events, CodePipeline's action events, Step Functions' events of ended executions, and \
     CodePipeline.job events of Lambda Invoke actions, but this is {what}"
)]
pub struct UnknownEvent {
    what: String,
}

/// The advice for an event of a service that sends it through a rule, a trigger or a mapping.
const POINT_IT_ELSEWHERE: &str = "remove the rule, trigger or event source mapping that sends it to this function";

/// Members that identify the sender of an event without a source. The first match counts.
const SIGNS: [(&str, &str); 9] = [
    ("Records", "a batch of records (S3, SNS, SQS, Kinesis, DynamoDB and CodeCommit send those)"),
    ("records", "a batch of records (Firehose, Kafka and message brokers send those)"),
    ("rmqMessagesByQueue", "a batch of RabbitMQ messages"),
    ("requestContext", "a request for a web server (API Gateway, a load balancer and function URLs send those)"),
    ("awslogs", "a batch of log lines (CloudWatch Logs sends those)"),
    ("alarmData", "an alarm of CloudWatch"),
    ("invokingEvent", "an event of AWS Config"),
    ("triggerSource", "an event of Cognito"),
    ("ResponseURL", "a request for a CloudFormation custom resource"),
];

impl UnknownEvent {
    pub(super) fn of_source(source: &str, kind: Option<&str>) -> Self {
        let kind = kind.map_or("none".into(), shown);
        let what = format!("an event with source {} and detail-type {kind}", shown(source));
        Self { what: format!("{what}; {POINT_IT_ELSEWHERE}") }
    }
}

/// The error for an event without source and type. `None` if no known service sends such an event.
pub(super) fn describe(members: &Map<String, Value>) -> Option<UnknownEvent> {
    if members.contains_key("jobId") && members.contains_key("data") {
        let what = "a job of the Lambda integration model, in which a partner answers by return value; the worker does not \
                    support that model: register the action type with the job worker integration model";
        return Some(UnknownEvent { what: what.into() });
    }
    let (_, what) = SIGNS.iter().find(|(sign, _)| members.contains_key(*sign))?;
    Some(UnknownEvent { what: format!("{what}; {POINT_IT_ELSEWHERE}") })
}

/// Whether this is a notification about a pipeline from an SNS topic: a copy of an event that EventBridge also delivers, or a
/// request for a manual approval.
pub(super) fn is_notification_of_codepipeline(payload: &Value) -> bool {
    let Some([record]) = payload.get("Records").and_then(Value::as_array).map(Vec::as_slice) else { return false };
    let message = record.pointer("/Sns/Message").and_then(Value::as_str);
    let Some(message) = message.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return false };
    message.get("source").and_then(Value::as_str) == Some("aws.codepipeline")
        || message.pointer("/approval/pipelineName").is_some()
}

/// Quotes a source, type or state if it is a short, plain name. Other texts may be secret.
pub(super) fn shown(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    if text.len() <= 80 && text.chars().all(plain) { format!("\"{text}\"") } else { "(not a plain name)".into() }
}
