use super::*;
use crate::engine::{Leniency, NonceForm};

fn one(change: impl FnOnce(&mut Settings)) -> Local {
    running(change, &json!([check("Unit", 1)])).0
}

#[test]
fn offer_repeats_after_30s_with_a_new_nonce() {
    let mut local = one(|_| {});
    let first = local.poll(5);
    assert_eq!(first[0]["nonce"], "3");
    local.wait(29);
    assert!(local.poll(5).is_empty());
    local.wait(1);
    let second = local.poll(5);
    assert_eq!(second[0]["id"], first[0]["id"]);
    assert_eq!(local.acknowledge(&first[0]).unwrap_err(), "InvalidNonceException");
    assert_eq!(local.acknowledge(&second[0]).unwrap(), "InProgress");
    local.wait(300);
    assert!(local.poll(5).is_empty(), "an acknowledged job is never offered again");
}

#[test]
fn zero_reoffer_delay_lets_every_poll_get_the_job() {
    for keep in [true, false] {
        let mut local = one(|settings| {
            settings.reoffer_after = Some(Duration::ZERO);
            settings.keep_nonce_on_reoffer = keep;
        });
        let offers = [local.poll(1).remove(0), local.poll(1).remove(0)];
        let answers = [&offers[0], &offers[1]].map(|offer| local.acknowledge(offer));
        let refused = Err("InvalidNonceException".to_owned());
        let won = Ok("InProgress".to_owned());
        assert_eq!(answers, if keep { [won, refused] } else { [refused, won] });
    }
}

#[test]
fn without_reoffers_an_offer_never_expires() {
    let mut local = one(|settings| settings.reoffer_after = None);
    let offer = local.poll(1).remove(0);
    local.wait(3600);
    assert!(local.poll(1).is_empty());
    assert_eq!(local.acknowledge(&offer).unwrap(), "InProgress");
}

#[test]
fn random_nonces_are_not_counted() {
    let mut local = one(|settings| settings.nonce_form = NonceForm::Random);
    assert_eq!(local.poll(1)[0]["nonce"].as_str().unwrap().len(), 19);
}

#[test]
fn settings_decide_on_second_acknowledgements() {
    let mut strict = one(|_| {});
    let job = strict.claim();
    assert_eq!(strict.acknowledge(&job).unwrap_err(), "InvalidNonceException");
    strict.succeed(&job);
    assert_eq!(strict.acknowledge(&job).unwrap_err(), "InvalidNonceException");
    strict.wait(3600);
    assert_eq!(strict.acknowledge(&job).unwrap_err(), "JobNotFoundException");

    let mut lenient = one(|settings| {
        settings.second_acknowledge = Leniency::Accept;
        settings.acknowledge_finished = Leniency::Accept;
    });
    let job = lenient.claim();
    assert_eq!(lenient.acknowledge(&job).unwrap(), "InProgress");
    lenient.succeed(&job);
    assert_eq!(lenient.acknowledge(&job).unwrap(), "Succeeded");
}

#[test]
fn result_needs_a_job_in_progress() {
    let mut strict = one(|_| {});
    let offer = strict.poll(1).remove(0);
    let result = json!({"jobId": offer["id"]});
    assert_eq!(strict.refused("PutJobSuccessResult", &result).0, "InvalidJobStateException");
    strict.acknowledge(&offer).unwrap();
    strict.call("PutJobSuccessResult", &result);
    assert_eq!(strict.refused("PutJobSuccessResult", &result).0, "InvalidJobStateException");
    let failure = json!({"jobId": offer["id"], "failureDetails": {"type": "JobFailed", "message": "m"}});
    assert_eq!(strict.refused("PutJobFailureResult", &failure).0, "InvalidJobStateException");

    let mut lenient = one(|settings| settings.put_before_acknowledge = Leniency::Accept);
    let offer = lenient.poll(1).remove(0);
    lenient.succeed(&offer);
}

#[test]
fn continuation_is_a_new_job_of_the_same_action() {
    let mut local = one(|_| {});
    let job = local.claim();
    local.call(
        "PutJobSuccessResult",
        &json!({
            "jobId": job["id"], "continuationToken": "build-77",
            "executionDetails": {"summary": "half way", "externalExecutionId": "77", "percentComplete": 50},
        }),
    );
    let state = local.action("web", 1, 0);
    assert_eq!(state["entityUrl"], "https://ci/make");
    let latest = &state["latestExecution"];
    assert_eq!((&latest["status"], &latest["percentComplete"]), (&json!("InProgress"), &json!(50)));
    assert_eq!(
        (&latest["summary"], &latest["externalExecutionUrl"]),
        (&json!("half way"), &json!("https://ci/make/77"))
    );
    let listed = local.call("ListActionExecutions", &json!({"pipelineName": "web"}));
    let output = &listed["actionExecutionDetails"][0]["output"];
    assert_eq!(output["executionResult"]["externalExecutionUrl"], "https://ci/make/77");
    assert_eq!(output.get("outputVariables"), None);
    local.wait(29);
    assert!(local.poll(5).is_empty());
    local.wait(1);
    let next = local.claim();
    assert_ne!(next["id"], job["id"]);
    assert_eq!(next["data"]["continuationToken"], "build-77");
    assert_eq!(next["data"]["pipelineContext"], job["data"]["pipelineContext"]);
    local.succeed(&next);
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Succeeded");
}

#[test]
fn continuations_keep_the_actions_timeout() {
    let mut local = one(|settings| settings.action_timeout = Duration::from_secs(60));
    let job = local.claim();
    local.wait(40);
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "continuationToken": "t"}));
    local.wait(20);
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["status"], "Failed");
    local.wait(20);
    assert!(local.poll(5).is_empty());
}

#[test]
fn timeout_below_a_second_is_shown_in_ms() {
    let mut local = one(|settings| settings.action_timeout = Duration::from_millis(500));
    local.wait(1);
    let message = local.action("web", 1, 0)["latestExecution"]["errorDetails"]["message"].clone();
    assert_eq!(message, "The action did not finish within 500ms");
}

#[test]
fn output_variables_are_limited_and_exclude_a_token() {
    let mut local = one(|_| {});
    let job = local.claim();
    let big = |size: usize| json!({"jobId": job["id"], "outputVariables": {"K": "x".repeat(size)}});
    assert_eq!(local.refused("PutJobSuccessResult", &big(122_880)).0, "OutputVariablesSizeExceededException");
    let both = json!({"jobId": job["id"], "outputVariables": {"K": "v"}, "continuationToken": "t"});
    assert_eq!(local.refused("PutJobSuccessResult", &both).0, "ValidationException");
    local.call("PutJobSuccessResult", &big(122_879));

    let mut lenient = one(|settings| settings.variables_with_continuation = Leniency::Accept);
    let job = lenient.claim();
    lenient.call(
        "PutJobSuccessResult",
        &json!({"jobId": job["id"], "outputVariables": {"K": "v"}, "continuationToken": "t"}),
    );
}

#[test]
fn missing_output_fails_the_action_if_set() {
    let mut action = check("Unit", 1);
    action["outputArtifacts"] = json!([{"name": "Report"}]);
    let claimed = |missing_output| {
        let (mut local, _) = running(|settings| settings.missing_output = missing_output, &json!([action]));
        let job = local.claim();
        local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "outputVariables": {"K": "v"}}));
        local
    };
    let mut lenient = claimed(Leniency::Accept);
    assert_eq!(lenient.action("web", 1, 0)["latestExecution"]["status"], "Succeeded");
    for there in [true, false] {
        let mut strict = claimed(Leniency::Refuse);
        assert_eq!(strict.action("web", 1, 0)["latestExecution"]["status"], "InProgress");
        let mut effects = strict.engine.take_effects();
        let Some(Effect::CheckOutputs { id, places }) = effects.pop() else { panic!("{effects:?}") };
        for _ in 0..2 {
            strict.engine.outputs_checked(strict.now, id, if there { &[] } else { &places });
        }
        let latest = strict.action("web", 1, 0)["latestExecution"].clone();
        let message = latest["errorDetails"]["message"].as_str().unwrap_or_default();
        if there {
            assert_eq!((&latest["status"], message), (&json!("Succeeded"), ""));
        } else {
            assert_eq!(latest["status"], "Failed");
            assert!(message.contains("'Report'") && message.contains(&places[0].key), "{message}");
        }
    }
}

#[test]
fn revision_date_must_be_writable_by_clients() {
    let mut local = one(|_| {});
    let job = local.claim();
    let put = |created: f64| json!({"jobId": job["id"], "currentRevision": {"revision": "r", "changeIdentifier": "c", "created": created}});
    for created in [-1.0, 253_402_300_800.0, 1e300] {
        let (name, message) = local.refused("PutJobSuccessResult", &put(created));
        assert_eq!(name, "ValidationException");
        assert!(message.contains("currentRevision.created") && message.contains("9999"), "{message}");
    }
    local.call("PutJobSuccessResult", &put(253_402_300_799.0));
    assert_eq!(local.action("web", 1, 0)["currentRevision"]["created"], 253_402_300_799.0);
}

#[test]
fn details_of_a_finished_job_have_no_credentials() {
    let mut local = one(|_| {});
    let job = local.claim();
    let details =
        |local: &mut Local| local.call("GetJobDetails", &json!({"jobId": job["id"]}))["jobDetails"]["data"].clone();
    assert!(details(&mut local)["artifactCredentials"].is_object());
    local.succeed(&job);
    let data = details(&mut local);
    assert_eq!(data.get("artifactCredentials"), None);
    assert_eq!(data["actionConfiguration"], job["data"]["actionConfiguration"]);
}

#[test]
fn poll_returns_oldest_jobs_up_to_its_batch_size() {
    let (mut local, _) = running(|_| {}, &json!([check("A", 1), check("B", 1), check("C", 1)]));
    let default = local.call("PollForJobs", &json!({"actionTypeId": type_id()}));
    let name = |job: &Value| job["data"]["pipelineContext"]["action"]["name"].as_str().unwrap().to_owned();
    assert_eq!(default["jobs"].as_array().unwrap().iter().map(name).collect::<Vec<_>>(), ["A"]);
    assert_eq!(local.poll(9).iter().map(name).collect::<Vec<_>>(), ["B", "C"]);
}

#[test]
fn only_existing_custom_types_can_be_polled() {
    let mut local = Local::new();
    let poll =
        |owner: &str| json!({"actionTypeId": {"category": "Build", "owner": owner, "provider": "X", "version": "1"}});
    assert_eq!(
        local.refused("PollForJobs", &poll("AWS")),
        ("ValidationException".to_owned(), "ActionType with owner 'AWS' is not supported".to_owned())
    );
    assert_eq!(
        local.refused("PollForJobs", &poll("Custom")),
        (
            "ActionTypeNotFoundException".to_owned(),
            "ActionType (Category: 'Build', Provider: 'X', Owner: 'Custom', Version: '1') is not available".to_owned()
        )
    );
}

fn queryable(change: impl FnOnce(&mut Settings)) -> Local {
    let mut local = Local::with(change);
    let mut declared = action_type();
    declared["configurationProperties"] = json!([property("Command", true, false, true)]);
    local.call("CreateCustomActionType", &declared);
    let mut other = check("B", 1);
    other["configuration"]["Command"] = "other".into();
    local.call("CreatePipeline", &pipeline("web", &json!([check("A", 1), other])));
    local.start("web");
    local.finish_sources(&found());
    local
}

#[test]
fn query_returns_jobs_with_exactly_this_value() {
    let mut local = queryable(|_| {});
    let mut poll = |query: Value| {
        local.try_call("PollForJobs", &json!({"actionTypeId": type_id(), "maxBatchSize": 9, "queryParam": query}))
    };
    assert_eq!(poll(json!({"Command": "Make"})).unwrap()["jobs"], json!([]));
    assert_eq!(poll(json!({"Command": "make"})).unwrap()["jobs"].as_array().unwrap().len(), 1);
    for wrong in [json!({}), json!({"Project": "make"})] {
        assert_eq!(poll(wrong).unwrap_err().0, "ValidationException");
    }
    let mut lenient = queryable(|settings| settings.missing_query_param = Leniency::Accept);
    assert!(lenient.poll(9).is_empty());
    let query = json!({"actionTypeId": type_id(), "queryParam": {"Command": "make"}});
    assert_eq!(one(|_| {}).refused("PollForJobs", &query).0, "ValidationException");
}

#[test]
fn unqueryable_value_is_refused() {
    let mut local = queryable(|_| {});
    let mut action = check("A", 1);
    action["configuration"]["Command"] = "has spaces".into();
    let (_, message) = local.refused("CreatePipeline", &pipeline("two", &json!([action])));
    assert!(message.contains("[a-zA-Z0-9_-]") && !message.contains("has spaces"), "{message}");
}

#[test]
fn credentials_cover_own_objects_and_are_renewed() {
    let mut unit = check("Unit", 1);
    unit["outputArtifacts"] = json!([{"name": "Report"}]);
    let mut local = running(|_| {}, &json!([unit])).0;
    let job = local.claim();
    let credentials = &job["data"]["artifactCredentials"];
    let grant = local.engine.grant(credentials["accessKeyId"].as_str().unwrap()).unwrap();
    assert_eq!(credentials["secretAccessKey"], json!(grant.secret_access_key));
    assert_eq!(credentials["sessionToken"], json!(grant.session_token));
    assert_eq!(grant.expires, local.now.after(Duration::from_secs(15 * 60)));
    let key = |list: &str| job["data"][list][0]["location"]["s3Location"]["objectKey"].as_str().unwrap().to_owned();
    assert_eq!((grant.readable.len(), &grant.readable[0].key), (1, &key("inputArtifacts")));
    assert_eq!((grant.writable.len(), &grant.writable[0].key), (1, &key("outputArtifacts")));

    local.wait(60);
    let details = local.call("GetJobDetails", &json!({"jobId": job["id"]}));
    let renewed = &details["jobDetails"]["data"]["artifactCredentials"];
    assert_ne!(renewed["accessKeyId"], credentials["accessKeyId"]);
    let newer = local.engine.grant(renewed["accessKeyId"].as_str().unwrap()).unwrap();
    assert_eq!(newer.expires, grant.expires.after(Duration::from_secs(60)));
    assert!(local.engine.grant(credentials["accessKeyId"].as_str().unwrap()).is_some());
    assert!(local.engine.grant("AKIAORDINARY").is_none());
}

#[test]
fn action_without_artifacts_gets_no_credentials() {
    let mut unit = check("Unit", 1);
    unit["inputArtifacts"] = json!([]);
    let mut local = running(|_| {}, &json!([unit])).0;
    assert_eq!(local.claim()["data"].get("artifactCredentials"), None);
}

#[test]
fn job_has_the_artifact_stores_key() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    input["pipeline"]["artifactStore"]["encryptionKey"] = json!({"id": "alias/artifacts", "type": "KMS"});
    local.call("CreatePipeline", &input);
    local.start("web");
    for effect in local.engine.take_effects() {
        let Effect::CopySource { id, encryption_key, .. } = effect else { continue };
        assert_eq!(encryption_key.as_deref(), Some("alias/artifacts"));
        local.engine.source_finished(local.now, id, found());
    }
    let data = local.claim()["data"].clone();
    assert_eq!(data["encryptionKey"], json!({"id": "alias/artifacts", "type": "KMS"}));
    let access_key_id = data["artifactCredentials"]["accessKeyId"].as_str().unwrap();
    let grant = local.engine.grant(access_key_id).unwrap();
    assert_eq!(grant.encryption_key.as_deref(), Some("alias/artifacts"));
}

#[test]
fn setting_can_refuse_details_of_an_offer() {
    let mut open = one(|_| {});
    let offer = open.poll(1).remove(0);
    open.call("GetJobDetails", &json!({"jobId": offer["id"]}));
    let mut closed = one(|settings| settings.details_before_acknowledge = Leniency::Refuse);
    let offer = closed.poll(1).remove(0);
    assert_eq!(closed.refused("GetJobDetails", &json!({"jobId": offer["id"]})).0, "JobNotFoundException");
    closed.acknowledge(&offer).unwrap();
    closed.call("GetJobDetails", &json!({"jobId": offer["id"]}));
}

#[test]
fn extra_members_come_only_if_set() {
    let mut local = one(|settings| settings.extra_members = true);
    let data = local.claim()["data"].clone();
    assert_eq!(data["actionTypeId"]["__type"], "ActionTypeId");
    assert_eq!(data.get("continuationToken"), Some(&Value::Null));
    let expires = local.now.after(Duration::from_secs(15 * 60));
    assert_eq!(data["artifactCredentials"]["expirationTime"], json!(expires.0));
}

#[test]
fn reported_revision_shows_in_the_state() {
    let mut local = one(|_| {});
    let job = local.claim();
    let revision = json!({"revision": "r9", "changeIdentifier": "c9", "created": 1_600_000_000.5});
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "currentRevision": revision}));
    assert_eq!(
        local.action("web", 1, 0)["currentRevision"],
        json!({"revisionId": "r9", "revisionChangeId": "c9", "created": 1_600_000_000.5})
    );
}

#[test]
fn due_work_keeps_its_order() {
    let mut local = one(|settings| settings.continuation_delay = Duration::from_secs(10));
    let job = local.claim();
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "continuationToken": "t"}));
    assert_eq!(local.engine.next_due(), Some(local.now.after(Duration::from_secs(10))));
    local.wait(7200);
    let next = local.poll(1).remove(0);
    assert_eq!(next["data"]["continuationToken"], "t");
    assert_eq!(local.refused("GetJobDetails", &json!({"jobId": job["id"]})).0, "JobNotFoundException");
}

#[test]
fn same_seed_and_requests_give_the_same_job() {
    let job = || one(|_| {}).claim();
    assert_eq!(job(), job());
}

#[test]
fn each_job_has_one_owner_among_two_workers() {
    let actions: Vec<Value> = (0..20).map(|number| check(&format!("A{number}"), 1)).collect();
    for keep in [true, false] {
        let zero = |settings: &mut Settings| {
            settings.reoffer_after = Some(Duration::ZERO);
            settings.keep_nonce_on_reoffer = keep;
        };
        let mut local = running(zero, &json!(actions)).0;
        let offers = [local.poll(20), local.poll(20)];
        assert_eq!(offers.each_ref().map(Vec::len), [20, 20]);
        for (first, second) in offers[0].iter().zip(&offers[1]) {
            assert_eq!(first["id"], second["id"]);
            let won = [first, second].map(|offer| local.acknowledge(offer).is_ok());
            assert_eq!(won.iter().filter(|won| **won).count(), 1);
        }
    }
}

#[test]
fn invalid_value_is_not_repeated() {
    let mut local = one(|_| {});
    let job = local.claim();
    let marker = "s3cret ";
    for (operation, input) in [
        ("AcknowledgeJob", json!({"jobId": job["id"], "nonce": marker.repeat(20)})),
        ("PutJobSuccessResult", json!({"jobId": job["id"], "continuationToken": marker.repeat(500)})),
        ("PutJobSuccessResult", json!({"jobId": job["id"], "outputVariables": {marker: 1}})),
        ("PollForJobs", json!({"actionTypeId": type_id(), "queryParam": {"Command": marker}})),
    ] {
        let (_, message) = local.refused(operation, &input);
        assert!(!message.contains("s3cret"), "{operation}: {message}");
    }
}
