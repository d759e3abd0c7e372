//! The steps of action executions, which the page shows.

use super::restarts::Disk;
use super::*;
use crate::engine::{ActionExecution, StepKind};

impl Local {
    /// The newest execution of the action.
    pub(super) fn newest(&self, action: &str) -> &ActionExecution {
        let mut found = self.engine.actions_of("web").map(|(_, _, action)| action);
        found.find(|found| found.declaration.name == action).unwrap()
    }

    /// The steps of this execution, with the job's round.
    fn steps(&self, action: &str) -> Vec<(StepKind, Option<u32>)> {
        self.newest(action).timeline.steps().map(|(_, step)| (step.kind, step.round)).collect()
    }
}

const FIRST: Option<u32> = Some(1);
const SECOND: Option<u32> = Some(2);

#[test]
fn continued_job_has_the_steps_of_both_rounds() {
    use StepKind::{
        Acknowledged, Continued, OfferExpired, Offered, Queued, ReportedSuccess, Started, Succeeded, Waiting,
    };
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    local.poll(1);
    local.wait(30);
    let job = local.claim();
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "continuationToken": "next"}));
    assert!(local.poll(1).is_empty());
    let until = local.newest("Unit").timeline.steps().last().unwrap().1.until;
    assert_eq!(until, Some(local.now.after(Duration::from_secs(30))));
    local.wait(30);
    let job = local.claim();
    local.succeed(&job);
    let expected = [
        (Started, None),
        (Queued, FIRST),
        (Offered, FIRST),
        (OfferExpired, FIRST),
        (Offered, FIRST),
        (Acknowledged, FIRST),
        (Continued, FIRST),
        (Waiting, SECOND),
        (Queued, SECOND),
        (Offered, SECOND),
        (Acknowledged, SECOND),
        (ReportedSuccess, SECOND),
        (Succeeded, None),
    ];
    assert_eq!(local.steps("Unit"), expected);
    let timeline = &local.newest("Unit").timeline;
    let last_job = timeline.steps().filter_map(|(_, step)| step.job.as_deref()).last();
    assert_eq!(last_job, job["id"].as_str());
    let seconds: Vec<u64> = timeline.steps().map(|(_, step)| (step.at.0 - 1_700_000_000_000) / 1000).collect();
    assert_eq!(seconds, [0, 0, 0, 30, 30, 30, 30, 30, 60, 60, 60, 60, 60]);
}

#[test]
fn steps_tell_how_an_action_failed() {
    use StepKind::{Abandoned, Acknowledged, Failed, Offered, Queued, ReportedFailure, Started, TimedOut};
    let (mut local, _) =
        running(|settings| settings.action_timeout = Duration::from_secs(60), &json!([check("Unit", 1)]));
    let job = local.claim();
    let details = json!({"type": "JobFailed", "message": "no"});
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": details}));
    let claimed = [(Started, None), (Queued, FIRST), (Offered, FIRST), (Acknowledged, FIRST)];
    assert_eq!(local.steps("Unit"), [&claimed[..], &[(ReportedFailure, FIRST), (Failed, None)]].concat());

    local.start("web");
    local.finish_sources(&found());
    local.wait(60);
    local.engine.advance(local.now);
    assert_eq!(local.steps("Unit"), [(Started, None), (Queued, FIRST), (TimedOut, None), (Failed, None)]);

    let execution = local.start("web");
    local.finish_sources(&found());
    let input = json!({"pipelineName": "web", "pipelineExecutionId": execution, "abandon": true});
    local.call("StopPipelineExecution", &input);
    assert_eq!(local.steps("Unit"), [(Started, None), (Queued, FIRST), (Abandoned, None)]);
}

#[test]
fn approval_names_the_decision() {
    use StepKind::{Approved, Failed, Rejected, Started, Succeeded};
    let approval = json!({
        "name": "Ask", "runOrder": 1,
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    });
    let (mut local, _) = running(|_| {}, &json!([approval]));
    for (status, steps) in [
        ("Approved", [(Started, None), (Approved, None), (Succeeded, None)]),
        ("Rejected", [(Started, None), (Rejected, None), (Failed, None)]),
    ] {
        let token = local.action("web", 1, 0)["latestExecution"]["token"].clone();
        let result = json!({"status": status, "summary": ""});
        let input =
            json!({"pipelineName": "web", "stageName": "Test", "actionName": "Ask", "token": token, "result": result});
        local.call("PutApprovalResult", &input);
        assert_eq!(local.steps("Ask"), steps);
        local.start("web");
        local.finish_sources(&found());
    }
}

#[test]
fn restart_keeps_the_steps() {
    let mut local = Disk::default().restore(Settings::default(), Timestamp(1_700_000_000_000));
    let mut disk = Disk::default();
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    local.start("web");
    local.finish_sources(&found());
    local.claim();
    let before = local.steps("Unit");
    assert_eq!(before.len(), 4);
    let local = disk.restart(local);
    assert_eq!(local.steps("Unit"), [&before[..], &[(StepKind::Abandoned, None)]].concat());
}

#[test]
fn line_of_a_program_finds_its_action() {
    let mut declared = check("Unit", 1);
    declared["configuration"]["Token"] = json!("p4ss");
    let (mut local, _) = running(|_| {}, &json!([declared, check("Lint", 1)]));
    assert!(local.engine.only_worked_on().is_none());
    let job = local.claim();
    let action = local.engine.only_worked_on().unwrap();
    assert_eq!(local.engine.action_of_id(job["id"].as_str().unwrap()).unwrap().id, action.id);
    assert_eq!(local.engine.action_of_id(&action.id).unwrap().id, action.id);
    assert!(local.engine.action_of_id("0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b").is_none());
    let unit = local.newest("Unit");
    assert_eq!(local.engine.without_secrets(unit, "make with p4ss"), "make with ****");
    let lint = local.claim();
    assert!(local.engine.only_worked_on().is_none(), "two jobs are in progress");
    local.succeed(&job);
    assert_eq!(local.engine.only_worked_on().unwrap().id, local.newest("Lint").id);
    let around = local.engine.secrets_around(local.newest("Lint"));
    assert_eq!(around.mask("p4ss of an action that ended"), "**** of an action that ended");
    local.call("PutJobSuccessResult", &json!({"jobId": lint["id"], "continuationToken": "next"}));
    assert!(local.engine.only_worked_on().is_none(), "no job is in progress");
}
