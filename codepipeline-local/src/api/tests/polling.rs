//! S3 sources that CodePipeline polls for changes.

use super::*;

/// The revision of the source's object, or none if it is missing.
pub(super) type Object = Option<&'static str>;

impl Local {
    /// Lets a minute pass and answers all checks and copies. Returns the number of checks.
    pub(super) fn minute(&mut self, object: Object) -> usize {
        self.wait(60);
        self.outside(object)
    }

    /// Answers all checks and copies.
    pub(super) fn outside(&mut self, object: Object) -> usize {
        let mut looks = 0;
        loop {
            self.engine.advance(self.now);
            let effects = self.engine.take_effects();
            if effects.is_empty() {
                return looks;
            }
            for effect in effects {
                match effect {
                    Effect::PollSource { id, .. } => {
                        looks += 1;
                        let found = object.map(str::to_owned).ok_or_else(missing);
                        self.engine.source_polled(self.now, id, found);
                    }
                    Effect::CopySource { id, .. } => {
                        let revision = object.map(|revision| SourceRevision {
                            revision: revision.to_owned(),
                            ..SourceRevision::default()
                        });
                        self.engine.source_finished(self.now, id, revision.ok_or_else(missing));
                    }
                    _ => {}
                }
            }
        }
    }

    /// The trigger of each execution of `web`, the newest first.
    pub(super) fn triggers(&mut self) -> Vec<String> {
        let listed = self.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
        let executions = listed["pipelineExecutionSummaries"].as_array().unwrap();
        executions.iter().map(|it| it["trigger"]["triggerType"].as_str().unwrap().to_owned()).collect()
    }
}

fn missing() -> SourceError {
    SourceError::NotFound("NoSuchKey".to_owned())
}

/// An emulator with the pipeline `web`, whose source is polled unless `change` disables it.
fn polled(start_on_create: bool, change: impl FnOnce(&mut Value)) -> Local {
    let mut local = empty(start_on_create);
    create(&mut local, change);
    local
}

fn empty(start_on_create: bool) -> Local {
    Local::with(|settings| {
        settings.source_poll = Some(Duration::from_secs(60));
        settings.start_on_create = start_on_create;
    })
}

fn create(local: &mut Local, change: impl FnOnce(&mut Value)) {
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    change(&mut input["pipeline"]);
    local.call("CreatePipeline", &input);
}

#[test]
fn changed_source_starts_the_pipeline() {
    let mut local = polled(true, |_| {});
    local.outside(Some("v1"));
    assert_eq!(local.minute(Some("v1")), 1);
    assert_eq!(local.triggers(), ["CreatePipeline"], "the first execution consumed this revision");
    local.minute(Some("v2"));
    assert_eq!(local.triggers(), ["PollForSourceChanges", "CreatePipeline"]);
    local.minute(Some("v2"));
    assert_eq!(local.triggers().len(), 2);
    let listed = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    let newest = &listed["pipelineExecutionSummaries"][0];
    assert_eq!(newest["trigger"]["triggerDetail"], "Fetch");
    assert_eq!(newest["sourceRevisions"][0]["revisionId"], "v2");
}

#[test]
fn object_that_appears_later_starts_the_pipeline() {
    for start_on_create in [true, false] {
        let mut local = polled(start_on_create, |_| {});
        local.outside(None);
        local.minute(None);
        assert_eq!(local.triggers().len(), usize::from(start_on_create), "a missing object starts nothing");
        local.minute(Some("v1"));
        assert_eq!(local.triggers()[0], "PollForSourceChanges");
        local.minute(Some("v1"));
        assert_eq!(local.triggers().len(), 1 + usize::from(start_on_create));
    }
}

#[test]
fn first_check_starts_nothing() {
    let mut local = polled(false, |_| {});
    assert_eq!(local.outside(Some("v1")), 1);
    local.minute(Some("v1"));
    assert!(local.triggers().is_empty());
    local.minute(Some("v2"));
    assert_eq!(local.triggers().len(), 1);
}

#[test]
fn manually_started_revision_is_known() {
    let mut local = polled(false, |_| {});
    local.outside(Some("v1"));
    local.start("web");
    local.minute(Some("v2"));
    assert_eq!(local.triggers(), ["StartPipelineExecution"]);
}

#[test]
fn manually_started_older_version_is_not_the_latest() {
    let mut local = polled(true, |_| {});
    local.outside(Some("v1"));
    let version = json!({"actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "v0"});
    local.call("StartPipelineExecution", &json!({"name": "web", "sourceRevisions": [version]}));
    local.outside(Some("v0"));
    local.minute(Some("v1"));
    assert_eq!(local.triggers(), ["StartPipelineExecution", "CreatePipeline"]);
}

#[test]
fn object_that_returns_unchanged_starts_nothing() {
    let mut local = polled(true, |_| {});
    for object in [Some("v1"), None, Some("v1")] {
        local.minute(object);
    }
    assert_eq!(local.triggers(), ["CreatePipeline"]);
}

#[test]
fn unpolled_source_is_not_checked() {
    for (key, value) in [("PollForSourceChanges", "false"), ("S3ObjectKey", "#{variables.Key}")] {
        let mut local = polled(true, |pipeline| {
            pipeline["stages"][0]["actions"][0]["configuration"][key] = value.into();
            pipeline["variables"] = json!([{"name": "Key", "defaultValue": "web.zip"}]);
            pipeline["pipelineType"] = "V2".into();
        });
        local.outside(Some("v1"));
        assert_eq!(local.minute(Some("v2")), 0, "{key}");
        assert_eq!(local.engine.next_due().map(|due| due > local.now.after(Duration::from_secs(3600))), Some(true));
    }
}

#[test]
fn update_keeps_the_revision_of_an_unchanged_source() {
    let mut local = polled(true, |_| {});
    local.outside(Some("v1"));
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    local.minute(Some("v1"));
    assert_eq!(local.triggers().len(), 1);
    let mut moved = pipeline("web", &json!([check("Other", 1)]));
    moved["pipeline"]["stages"][0]["actions"][0]["configuration"]["S3ObjectKey"] = "other.zip".into();
    local.call("UpdatePipeline", &moved);
    assert_eq!(local.outside(Some("v7")), 1, "the new object is checked and starts nothing");
    assert_eq!(local.triggers().len(), 1);
    local.minute(Some("v8"));
    assert_eq!(local.triggers().len(), 2);
}

#[test]
fn check_during_a_copy_starts_nothing() {
    let mut local = polled(true, |_| {});
    let effects = local.engine.take_effects();
    let copy = effects.into_iter().find_map(|effect| match effect {
        Effect::CopySource { id, .. } => Some(id),
        _ => None,
    });
    local.minute(Some("v2"));
    assert_eq!(local.triggers().len(), 1);
    local.engine.source_finished(local.now, copy.unwrap(), found());
    local.minute(Some("v1"));
    assert_eq!(local.triggers().len(), 1, "the copy consumed this revision");
}

/// The emulator after a restart, with its kept state.
fn restarted(local: &mut Local) -> Local {
    let mut again = Local { engine: Engine::new(local.engine.settings.clone(), 8), now: local.now };
    again.engine.restore(again.now, local.engine.take_changes()).unwrap();
    again
}

#[test]
fn change_during_a_restart_starts_the_pipeline() {
    for (before, after, started) in
        [(Some("v1"), Some("v1"), false), (Some("v1"), Some("v2"), true), (None, Some("v1"), true), (None, None, false)]
    {
        let mut local = empty(true);
        local.engine.restore(local.now, Vec::new()).unwrap();
        create(&mut local, |_| {});
        local.outside(before);
        local.minute(before);
        let mut again = restarted(&mut local);
        assert_eq!(again.outside(after), 1);
        assert_eq!(again.triggers().len(), 1 + usize::from(started), "{before:?} {after:?}");
    }
}

#[test]
fn late_checks_and_deleted_pipelines_are_ignored() {
    let mut local = polled(false, |_| {});
    local.engine.advance(local.now);
    let effects = local.engine.take_effects();
    let Some(Effect::PollSource { id, object }) = effects.last() else { panic!("a check was requested") };
    assert_eq!((object.bucket.as_str(), object.key.as_str()), ("sources", "web.zip"));
    local.engine.source_polled(local.now, *id, Ok("v1".to_owned()));
    local.engine.source_polled(local.now, *id, Ok("v2".to_owned()));
    assert!(local.triggers().is_empty());
    local.wait(60);
    local.engine.advance(local.now);
    let effects = local.engine.take_effects();
    let Some(Effect::PollSource { id, .. }) = effects.last() else { panic!("a check was requested") };
    local.call("DeletePipeline", &json!({"name": "web"}));
    local.engine.source_polled(local.now, *id, Ok("v3".to_owned()));
    assert_eq!(local.engine.next_due(), None);
}

#[test]
fn source_poll_waits_while_the_pipeline_is_full() {
    let mut local = polled(true, |pipeline| {
        pipeline["executionMode"] = "PARALLEL".into();
        pipeline["pipelineType"] = "V2".into();
    });
    local.outside(Some("v1"));
    let executions: Vec<String> = (1..50).map(|_| local.start("web")).collect();
    local.outside(Some("v1"));
    local.minute(Some("v2"));
    assert_eq!(local.triggers().len(), 50);
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": executions[0], "abandon": true});
    local.call("StopPipelineExecution", &stop);
    local.minute(Some("v2"));
    assert_eq!(local.triggers()[0], "PollForSourceChanges");
}
