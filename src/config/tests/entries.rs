//! Entries of `ACTIONS`.

use std::time::Duration;

use super::*;

/// Lambda Invoke jobs with one secret member of their `UserParameters`.
fn invoked(run: &Value) -> Value {
    let action_type = json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
    json!({"actionType": action_type, "secrets": ["ApiToken"], "run": run})
}

#[test]
fn user_parameters_are_as_secret_as_their_members() {
    let machine = json!({"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"});
    let actions = json!([invoked(&machine)]).to_string();
    let config = parsed(&[("ACTIONS", &actions)]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.actions[0].secrets, ["ApiToken", "UserParameters"]);
    let said = mistakes(&invoked(&json!({"command": ["deploy", "{Config:UserParameters}"]})));
    let why = "ACTIONS[0].run.command[1]: names `{Config:UserParameters}`, which is in `secrets` (as UserParameters is";
    assert!(said.contains(why), "{said}");
}

#[test]
fn every_owner_is_served() {
    let entries = [of_type("ThirdParty", "Build", "Partner"), of_type("AWS", "Invoke", "Lambda"), link_check()];
    let actions = json!(entries).to_string();
    let config = parsed(&[("ACTIONS", &actions), ("CLIENT_TOKENS_SECRET", "codepipeline/clients/")])
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.actions.len(), 3);
    assert_eq!(config.client_tokens.as_deref(), Some("codepipeline/clients/"));
}

#[test]
fn only_custom_types_have_a_query_parameter() {
    for mut entry in [of_type("ThirdParty", "Build", "Partner"), of_type("AWS", "Invoke", "Lambda")] {
        entry["queryParam"] = json!({"Project": "web"});
        assert!(mistakes(&entry).contains("ACTIONS[0].queryParam: works only with the owner Custom"));
    }
}

#[test]
fn only_commands_of_the_own_account_have_a_role() {
    let role = json!("arn:aws:iam::111122223333:role/deploy");
    let mut command = link_check();
    command["role"] = role.clone();
    let mut invoked = of_type("AWS", "Invoke", "Lambda");
    invoked["role"] = role.clone();
    let actions = json!([command, invoked]).to_string();
    let config = parsed(&[("ACTIONS", &actions)]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.actions.iter().map(|action| action.run.turn.as_secs()).collect::<Vec<_>>(), [617, 617]);

    let mut partner = of_type("ThirdParty", "Build", "Partner");
    partner["role"] = role.clone();
    assert!(mistakes(&partner).contains("ACTIONS[0].role: is not for the owner ThirdParty"));
    let machine = json!({"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"});
    for mut other in [with_run(machine), http_entry()] {
        other["role"] = role.clone();
        other["logOutput"] = json!("all");
        let message = mistakes(&other);
        assert!(
            message.contains("ACTIONS[0].role: is only for entries with run.command, and this one has run."),
            "{message}"
        );
        assert!(message.contains("ACTIONS[0].logOutput: is only for entries with run.command"), "{message}");
    }
}

#[test]
fn owner_aws_serves_only_lambda_invoke() {
    let said = mistakes(&of_type("AWS", "Build", "CodeBuild"));
    assert!(said.contains("ACTIONS[0].actionType: with the owner AWS must be category Invoke"), "{said}");
}

#[test]
fn two_entries_for_the_same_jobs_are_refused() {
    let actions = json!([link_check(), link_check()]).to_string();
    let Err(error) = parsed(&[("ACTIONS", &actions)]) else { panic!("accepted") };
    assert!(error.to_string().contains("ACTIONS[1]: an earlier entry is for"), "{error}");
}

#[test]
fn two_entries_with_mistakes_are_still_compared() {
    let mut broken = link_check();
    broken["run"] = json!({});
    let actions = json!([broken, broken]).to_string();
    let said = parsed(&[("ACTIONS", &actions)]).err().unwrap().to_string();
    assert!(said.contains("ACTIONS[1]: an earlier entry is for the same action type"), "{said}");
}

#[test]
fn default_for_on_crash_depends_on_the_kind() {
    let mut http = http_entry();
    http["queryParam"] = json!({"Project": "other"});
    let mut said = link_check();
    said["queryParam"] = json!({"Project": "third"});
    said["onCrash"] = json!("run");
    said["shared"] = json!("true");
    let actions = json!([link_check(), http, said]).to_string();
    let config = parsed(&[("ACTIONS", &actions), ("CHECKS_KEY", WEBHOOK_KEY)]).unwrap_or_else(|e| panic!("{e}"));
    let found: Vec<_> = config.actions.iter().map(|action| (action.on_crash, action.shared)).collect();
    assert_eq!(found, [(OnCrash::Fail, false), (OnCrash::Run, false), (OnCrash::Run, true)]);
}

#[test]
fn on_crash_is_fail_or_run() {
    let mut entry = link_check();
    entry["onCrash"] = json!("s3cr3t");
    entry["shared"] = json!(1);
    let said = mistakes(&entry);
    assert!(said.contains("2 mistakes: ACTIONS[0].onCrash: must be one of fail, run; "), "{said}");
    assert!(said.contains("ACTIONS[0].shared: must be true or false") && !said.contains("s3cr3t"), "{said}");
}

#[test]
fn whole_entry_is_read() {
    let actions = json!([link_check()]).to_string();
    let config =
        parsed(&[("ACTIONS", &actions), ("CONCURRENCY", "2"), ("RUST_LOG", "debug")]).unwrap_or_else(|e| panic!("{e}"));
    let action = &config.actions[0];
    assert_eq!(action.action_type.to_string(), "Custom/Test/LinkCheck/1");
    assert_eq!(action.query_param, Some(("Project".into(), "web".into())));
    assert_eq!(action.secrets, ["ApiToken"]);
    assert_eq!((action.kind.name, action.run.turn), ("command", Duration::from_secs(607)));
    assert_eq!(config.settings.concurrency, 2);
    assert_eq!(config.log_level, Level::DEBUG);
}

#[test]
fn run_names_exactly_one_kind() {
    let kinds = crate::actions::KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    for (run, rule) in [
        (json!({}), format!("run: must be an object with exactly one member: {kinds}")),
        (json!({"command": ["a"], "http": {}}), format!("run: must be an object with exactly one member: {kinds}")),
        (json!({"script": "x"}), format!("run: has no member 'script'; it has {kinds}")),
    ] {
        let message = mistakes(&with_run(run));
        assert!(message.contains(&rule), "'{rule}' is missing in: {message}");
    }
}

#[test]
fn each_entry_has_the_action_and_the_times_of_its_kind() {
    let machine = with_run(json!({"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"}));
    let mut http = http_entry();
    http["queryParam"] = json!({"Project": "other"});
    let actions = json!([machine, http]).to_string();
    let config = parsed(&[("ACTIONS", &actions), ("CHECKS_KEY", WEBHOOK_KEY)]).unwrap_or_else(|e| panic!("{e}"));
    let read = |index: usize| {
        let action = &config.actions[index];
        (action.kind.name, action.run.turn.as_secs(), action.run.overall.as_secs())
    };
    assert_eq!([read(0), read(1)], [("stateMachine", 30, 7200), ("http", 70, 7200)]);
}
