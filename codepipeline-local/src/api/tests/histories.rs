//! Restarts after random histories.

use super::{restarts::*, *};

/// Makes random calls that the seed decides.
fn mess_about(local: &mut Local, disk: &mut Disk, seed: u64) {
    let mut state = seed;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    for step in 0..60 {
        let name = format!("pipe{}", below(3));
        let arn = format!("arn:aws:codepipeline:us-east-1:123456789012:{name}");
        let mut action = check(if below(2) == 0 { "Unit" } else { "Lint" }, 1);
        action["configuration"]["Token"] = format!("secret{step}").into();
        // Refused calls are welcome: they change nothing that is kept.
        let _ = match below(12) {
            0 | 1 => local.try_call("CreatePipeline", &pipeline(&name, &json!([action]))),
            2 => local.try_call("UpdatePipeline", &pipeline(&name, &json!([action]))),
            3 if below(3) == 0 => local.try_call("DeletePipeline", &json!({"name": name})),
            4 => local.try_call(
                "TagResource",
                &json!({"resourceArn": arn, "tags": [{"key": "k", "value": format!("{step}")}]}),
            ),
            5 => local.try_call("UntagResource", &json!({"resourceArn": arn, "tagKeys": ["k"]})),
            6 => {
                let kind = if below(2) == 0 { "DisableStageTransition" } else { "EnableStageTransition" };
                let mut input = json!({"pipelineName": name, "stageName": "Test", "transitionType": "Inbound"});
                if kind == "DisableStageTransition" {
                    input["reason"] = format!("reason{step}").into();
                }
                local.try_call(kind, &input)
            }
            7 | 8 => local.try_call(
                "StartPipelineExecution",
                &json!({"name": name, "clientRequestToken": format!("t{}", below(5))}),
            ),
            9 => {
                let source = if below(4) == 0 { Err(SourceError::Other("no disk".to_owned())) } else { found() };
                local.finish_sources(&source);
                Ok(Value::Null)
            }
            _ => match local.poll(1).pop() {
                Some(job) if local.acknowledge(&job).is_ok() => local.try_call("PutJobSuccessResult", &result(&job)),
                _ => Ok(Value::Null),
            },
        };
        local.wait(below(40));
        if below(3) == 0 {
            disk.keep(local);
        }
    }
}

#[test]
fn any_history_survives_a_restart() {
    for seed in 0..20 {
        let mut disk = Disk::default();
        let mut local = disk
            .restore(Settings { cancel_on_update: seed % 2 == 0, ..Settings::default() }, Timestamp(1_700_000_000_000));
        local.call("CreateCustomActionType", &action_type());
        mess_about(&mut local, &mut disk, seed);
        // The first restart stops executions in progress. The second reads the state that the first left.
        let mut local = disk.restart(local);
        let before = everything(&mut local);
        assert!(!format!("{before:?}").contains("InProgress"), "seed {seed}");
        local.wait(1);
        let mut local = disk.restart(local);
        assert_eq!(everything(&mut local), before, "seed {seed}");
        mess_about(&mut local, &mut disk, seed + 1000);
    }
}

#[test]
fn finished_history_is_unchanged_by_a_restart() {
    for seed in 100..120 {
        let mut disk = Disk::default();
        let mut local = disk.restore(Settings::default(), Timestamp(1_700_000_000_000));
        local.call("CreateCustomActionType", &action_type());
        mess_about(&mut local, &mut disk, seed);
        // Stop all executions in progress.
        for pipeline in local.call("ListPipelines", &json!({}))["pipelines"].as_array().unwrap() {
            let input = json!({"pipelineName": pipeline["name"]});
            let executions = local.call("ListPipelineExecutions", &input);
            for execution in executions["pipelineExecutionSummaries"].as_array().unwrap() {
                let (id, reason) = (&execution["pipelineExecutionId"], "enough");
                let stop = json!({"pipelineName": pipeline["name"], "pipelineExecutionId": id, "abandon": true, "reason": reason});
                let _ = local.try_call("StopPipelineExecution", &stop);
            }
        }
        let before = everything(&mut local);
        local.wait(100);
        let mut local = disk.restart(local);
        assert_eq!(everything(&mut local), before, "seed {seed}");
    }
}
