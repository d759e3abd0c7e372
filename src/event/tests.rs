//! Payloads that wake the function, payloads that it ignores, and the texts of refusals.

use serde_json::json;

use super::*;

const END: EndOfWork = EndOfWork {
    source: "aws.states",
    detail_type: "Step Functions Execution Status Change",
    status: "/detail/status",
    running: &["RUNNING"],
    resource: "/detail/stateMachineArn",
};

/// Sorts a payload for a worker whose work outside ends with [`END`].
pub(super) fn parse(payload: &Value) -> Result<Event, UnknownEvent> {
    Event::parse(payload, &[&END])
}

#[test]
fn both_schedulers_wake_the_worker() {
    let rule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let scheduler = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"});
    assert_eq!(parse(&rule), Ok(Event::Schedule));
    assert_eq!(parse(&scheduler), Ok(Event::Schedule));
}

fn refusal(event: &Value) -> String {
    parse(event).unwrap_err().to_string()
}

#[test]
fn unknown_json_counts_as_a_tick() {
    for nothing in [json!({}), json!(null)] {
        assert_eq!(parse(&nothing), Ok(Event::Schedule));
    }
    for (source, detail) in [("aws.scheduler", json!(null)), ("aws.events", json!([]))] {
        assert_eq!(parse(&json!({"source": source, "detail": detail})), Ok(Event::Schedule));
    }
    for input in [json!({"action": "poll"}), json!({"source": "nightly"}), json!("wake up"), json!([]), json!(1)] {
        assert_eq!(parse(&input), Ok(Event::OwnInput), "{input}");
    }
}

#[test]
fn an_unknown_event_is_named_by_source_and_type() {
    let said = refusal(&json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {"key": "private"}}));
    assert!(said.contains("source \"aws.s3\" and detail-type \"Object Created\""), "{said}");
    assert!(!said.contains("private"), "{said}");
    let said = refusal(&json!({"source": "aws.cloudwatch", "alarmArn": "private"}));
    assert!(said.contains("source \"aws.cloudwatch\" and detail-type none"), "{said}");
}

#[test]
fn members_identify_events_of_other_services() {
    for (event, words) in [
        (json!({"Records": [{"eventSource": "aws:s3"}]}), "a batch of records"),
        (json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "hello"}}]}), "a batch of records"),
        (json!({"requestContext": {}, "rawPath": "/"}), "a request for a web server"),
        (json!({"awslogs": {"data": "H4sI"}}), "a batch of log lines"),
        (json!({"RequestType": "Create", "ResponseURL": "https://"}), "a CloudFormation custom resource"),
        (json!({"jobId": "1", "accountId": "2", "data": {}}), "a partner answers by return value"),
    ] {
        let said = refusal(&event);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn notifications_of_codepipeline_are_ignored() {
    let copy = json!({"source": "aws.codepipeline", "detailType": "CodePipeline Stage Execution State Change"});
    let approval = json!({"region": "us-east-1", "approval": {"pipelineName": "web", "token": "secret"}});
    for message in [copy, approval] {
        let sns = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]});
        let what = "a notification of CodePipeline that came through SNS".to_owned();
        assert_eq!(parse(&sns), Ok(Event::Ignored { what }));
    }
}

#[test]
fn a_refusal_repeats_no_value_of_the_event() {
    let secret = "AKIA/SECRET+VALUE";
    for event in [
        json!({"source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change",
            "detail": {"state": secret}}),
        json!({"source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change",
            "detail": {"state": secret, "type": {"owner": "AWS", "category": "c", "provider": secret, "version": 1}}}),
        json!({"source": "aws.codepipeline", "detail-type": secret}),
        json!({"source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "detail": {"status": "RUNNING", "input": secret}}),
        json!({"source": secret, "detail-type": secret.repeat(9)}),
        json!({"Records": [secret]}),
        json!({"jobId": secret, "data": secret}),
    ] {
        let said = match parse(&event) {
            Ok(Event::Ignored { what }) => what,
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert!(!said.contains(secret), "{said}");
    }
}

fn action_event(detail: &Value) -> Event {
    let kind = "CodePipeline Action Execution State Change";
    parse(&json!({"source": "aws.codepipeline", "detail-type": kind, "detail": detail})).unwrap()
}

fn shell() -> ActionTypeId {
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    ActionTypeId { category, owner, provider, version }
}

#[test]
fn an_action_event_needs_no_more_than_state_and_type() {
    for version in [json!("1"), json!(1), json!(1.0)] {
        let kind = json!({"owner": "Custom", "category": "Test", "provider": "Shell", "version": version});
        let started = action_event(&json!({"state": "STARTED", "type": kind}));
        assert_eq!(started, Event::ActionStarted { action_type: shell(), execution_id: None, time: None });
        for state in ["ABANDONED", "CANCELED", "CANCELLED"] {
            let over = action_event(&json!({"state": state, "type": kind, "action-execution-id": "e"}));
            assert_eq!(over, Event::ActionOver { action_type: shell(), execution_id: Some("e".into()) });
            let unnamed = action_event(&json!({"state": state, "type": kind}));
            assert_eq!(unnamed, Event::ActionOver { action_type: shell(), execution_id: None });
        }
    }
}

#[test]
fn events_of_pipelines_stages_and_ended_actions_are_ignored() {
    let kind = json!({"owner": "Custom", "category": "Test", "provider": "Shell", "version": "1"});
    for state in ["SUCCEEDED", "RESUMED", "SUPERSEDED", "STOPPING", "A_STATE_TO_COME"] {
        let what = format!("an action event with the state \"{state}\"");
        assert_eq!(action_event(&json!({"state": state, "type": kind})), Event::Ignored { what });
    }
    for (detail, what) in [
        (json!({}), "an action event without detail.state"),
        (json!({"state": "STARTED", "type": {"owner": "Custom"}}), "an action event without detail.type.category"),
    ] {
        assert_eq!(action_event(&detail), Event::Ignored { what: what.into() });
    }
    for kind in ["CodePipeline Stage Execution State Change", "CodePipeline Pipeline Execution State Change"] {
        let what = format!("an event with the detail-type \"{kind}\"");
        for member in ["detail-type", "detailType"] {
            let event = json!({"source": "aws.codepipeline", member: kind, "detail": {"state": "FAILED"}});
            assert_eq!(parse(&event), Ok(Event::Ignored { what: what.clone() }));
        }
    }
}

#[test]
fn only_the_end_of_an_execution_needs_work() {
    let ended = |resource| Event::WorkEnded { source: END.source, resource };
    let parsed =
        |detail: Value| parse(&json!({"source": END.source, "detail-type": END.detail_type, "detail": detail}));
    for status in ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] {
        assert_eq!(parsed(json!({"status": status})), Ok(ended(None)));
    }
    assert_eq!(parsed(json!({})), Ok(ended(None)));
    let arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:M".to_owned();
    assert_eq!(parsed(json!({"stateMachineArn": arn})), Ok(ended(Some(arn))));
    assert!(matches!(parsed(json!({"status": "RUNNING"})), Ok(Event::Ignored { .. })));
}

#[test]
fn failed_and_abandoned_actions_differ() {
    let kind = json!({"owner": "Custom", "category": "Test", "provider": "Shell", "version": "1"});
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    let action_type = ActionTypeId { category, owner, provider, version };
    let event = |detail: Value| {
        let kind = "CodePipeline Action Execution State Change";
        parse(&json!({"source": "aws.codepipeline", "detail-type": kind, "detail": detail})).unwrap()
    };
    let failed = event(json!({"state": "FAILED", "type": kind, "action-execution-id": "e"}));
    assert_eq!(failed, Event::ActionFailed { action_type, execution_id: "e".into() });
    let nameless = event(json!({"state": "FAILED", "type": kind}));
    assert!(matches!(nameless, Event::Ignored { what } if what.contains("action-execution-id")));
}
