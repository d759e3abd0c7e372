use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn parsed(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_variables(&variables.iter().copied().collect())
}

fn link_check() -> Value {
    json!({
        "actionType": {"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"},
        "queryParam": {"Project": "web"},
        "secrets": ["ApiToken"],
        "timeoutSeconds": 600,
        "run": {"command": ["bash", "-euo", "pipefail", "-c", "{Config:Command}"]}
    })
}

fn mistakes(entry: &Value) -> String {
    match parsed(&[("ACTIONS", &json!([entry]).to_string())]) {
        Ok(_) => panic!("no mistake was found in {entry}"),
        Err(error) => error.to_string(),
    }
}

/// Lambda Invoke jobs with one secret member of their `UserParameters`.
fn invoked(run: &Value) -> Value {
    let action_type = json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
    json!({"actionType": action_type, "secrets": ["ApiToken"], "run": run})
}

#[test]
fn user_parameters_are_as_secret_as_any_of_their_members() {
    let machine = json!({"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"});
    let actions = json!([invoked(&machine)]).to_string();
    let config = parsed(&[("ACTIONS", &actions)]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.actions[0].secrets, ["ApiToken", "UserParameters"]);
    let said = mistakes(&invoked(&json!({"command": ["deploy", "{Config:UserParameters}"]})));
    let why = "ACTIONS[0].run.command: element 1 names `{Config:UserParameters}`, which is listed in `secrets` (as UserParameters is";
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_whole_configuration_is_understood() {
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

fn of_type(owner: &str, category: &str, provider: &str) -> Value {
    let mut entry = link_check();
    entry["actionType"] = json!({"category": category, "owner": owner, "provider": provider, "version": "1"});
    entry.as_object_mut().unwrap().remove("queryParam");
    entry
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
fn third_party_types_need_to_know_where_client_tokens_are() {
    let third_party = of_type("ThirdParty", "Build", "Partner");
    assert!(mistakes(&third_party).contains("1 mistake: CLIENT_TOKENS_SECRET: must be set"));

    let actions = json!([third_party]).to_string();
    let Err(error) = parsed(&[("ACTIONS", &actions), ("CLIENT_TOKENS_SECRET", "clients:s3cr3t ")]) else {
        panic!("accepted")
    };
    let said = error.to_string();
    assert!(said.contains("CLIENT_TOKENS_SECRET: must be the beginning") && !said.contains("s3cr3t"), "{said}");
}

#[test]
fn only_custom_types_are_polled_by_a_query_parameter() {
    for mut entry in [of_type("ThirdParty", "Build", "Partner"), of_type("AWS", "Invoke", "Lambda")] {
        entry["queryParam"] = json!({"Project": "web"});
        assert!(mistakes(&entry).contains("ACTIONS[0].queryParam: is for the owner Custom alone"));
    }
}

#[test]
fn of_the_owner_aws_only_lambda_invoke_reaches_a_function() {
    let said = mistakes(&of_type("AWS", "Build", "CodeBuild"));
    assert!(said.contains("ACTIONS[0].actionType: of the owner AWS must be category Invoke"), "{said}");
}

#[test]
fn every_mistake_is_reported_in_one_message() {
    let mut entry = link_check();
    entry["actionType"]["owner"] = json!("Nobody");
    entry["actionType"]["version"] = json!("1.0");
    entry["timeoutSeconds"] = json!(0);
    entry["run"] = json!({"command": []});
    entry["retries"] = json!(3);
    let actions = json!([entry, 7]).to_string();
    let said = match parsed(&[
        ("ACTIONS", &actions),
        ("CONCURRENCY", "0"),
        ("MAX_UNPACKED_BYTES", "much"),
        ("MAX_ENTRIES", "0"),
    ]) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    for part in [
        "9 mistakes",
        "CONCURRENCY: must be a whole number from 1 to 100",
        "MAX_UNPACKED_BYTES: ",
        "MAX_ENTRIES: must be a whole number from 1 to 10000000",
        "ACTIONS[0]: has no member 'retries'",
        "ACTIONS[0].actionType.owner: must be one of Custom",
        "ACTIONS[0].actionType.version: ",
        "ACTIONS[0].timeoutSeconds: ",
        "ACTIONS[0].run.command: ",
        "ACTIONS[1]: must be an object",
    ] {
        assert!(said.contains(part), "'{part}' is missing in: {said}");
    }
}

#[test]
fn no_value_shows_in_a_mistake() {
    let secret = "s3cr3t/V+lue";
    let mut everywhere = link_check();
    for path in
        ["/actionType/category", "/actionType/owner", "/actionType/provider", "/actionType/version", "/secrets/0"]
    {
        *everywhere.pointer_mut(path).unwrap() = json!(secret.repeat(9));
    }
    everywhere["queryParam"] = json!({"Project": secret});
    everywhere["timeoutSeconds"] = json!(secret);
    everywhere["run"]["command"] = json!([["nested", secret]]);
    everywhere[secret] = json!(secret);
    let said = mistakes(&everywhere);
    assert!(!said.contains(secret), "{said}");

    for text in [format!("[\"{secret}\""), format!("{{\"{secret}\": 1}}"), secret.to_owned()] {
        let Err(error) = parsed(&[("ACTIONS", &text)]) else { panic!("accepted") };
        assert!(!error.to_string().contains(secret), "{error}");
    }
}

#[test]
fn a_command_that_could_never_be_claimed_is_refused() {
    let mut entry = link_check();
    entry["timeoutSeconds"] = json!(895);
    let said = mistakes(&entry);
    assert!(said.contains("timeoutSeconds: is 895, but a function with a timeout of 900 s"), "{said}");

    let actions = json!([link_check()]).to_string();
    let Err(error) = parsed(&[("ACTIONS", &actions), ("FUNCTION_TIMEOUT", "300")]) else { panic!("accepted") };
    assert!(error.to_string().contains("is 600, but a function with a timeout of 300 s"), "{error}");
}

#[test]
fn a_secret_may_not_be_an_argument() {
    let mut entry = link_check();
    entry["run"]["command"] = json!(["curl", "-H", "Authorization: {Config:ApiToken}"]);
    let said = mistakes(&entry);
    assert!(said.contains("ACTIONS[0].run.command: element 2 names `{Config:ApiToken}`"), "{said}");
}

#[test]
fn a_broken_placeholder_is_refused() {
    let mut entry = link_check();
    entry["run"]["command"] = json!(["echo", "{Config:"]);
    assert!(mistakes(&entry).contains("ACTIONS[0].run.command[1]: "));
}

#[test]
fn the_same_poll_twice_is_a_mistake() {
    let actions = json!([link_check(), link_check()]).to_string();
    let Err(error) = parsed(&[("ACTIONS", &actions)]) else { panic!("accepted") };
    assert!(error.to_string().contains("ACTIONS[1]: an earlier entry is for"), "{error}");
}

#[test]
fn what_a_crash_means_depends_on_the_kind_of_work_unless_it_is_said() {
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
fn a_crash_fails_or_runs_and_nothing_else() {
    let mut entry = link_check();
    entry["onCrash"] = json!("s3cr3t");
    entry["shared"] = json!(1);
    let said = mistakes(&entry);
    assert!(said.contains("2 mistakes: ACTIONS[0].onCrash: must be one of fail, run; "), "{said}");
    assert!(said.contains("ACTIONS[0].shared: must be true or false") && !said.contains("s3cr3t"), "{said}");
}

#[test]
fn the_ledgers_bucket_has_a_name_that_s3_allows() {
    let actions = json!([link_check()]).to_string();
    let bucket =
        |name: &str| parsed(&[("ACTIONS", &actions), ("LEDGER_BUCKET", name)]).map(|config| config.ledger_bucket);
    let longest = "x".repeat(63);
    for name in ["abc", "my.ledger-1", &longest] {
        assert_eq!(bucket(name).ok(), Some(Some(name.to_owned())));
    }
    let said = bucket("").err().unwrap().to_string();
    assert!(said.contains("LEDGER_BUCKET: is empty"), "{said}");
    for name in [
        "ab",
        &format!("{longest}x"),
        "Ledger",
        "led_ger",
        "-ledger",
        "ledger.",
        "led..ger",
        "10.0.0.1",
        "xn--ledger",
        "ledger-s3alias",
        "ledger--euc1-az1--x-s3",
        "arn:aws:s3:::ledger",
    ] {
        let said = bucket(name).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("LEDGER_BUCKET: must be the name of an S3 bucket"), "{name}: {said}");
    }
}

#[test]
fn actions_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!([link_check()]).to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(parsed(&[("ACTIONS_FILE", path)]).map(|config| config.actions.len()).ok(), Some(1));

    let missing = parsed(&[("ACTIONS_FILE", "/does/not/exist")]).err().unwrap().to_string();
    assert!(missing.contains("ACTIONS_FILE: can't be read"), "{missing}");
    let both = parsed(&[("ACTIONS_FILE", path), ("ACTIONS", "[]")]).err().unwrap().to_string();
    assert!(both.contains("not both"), "{both}");
    let neither = parsed(&[]).err().unwrap().to_string();
    assert!(neither.contains("ACTIONS: is not set"), "{neither}");
}

#[test]
fn a_folder_must_be_absolute() {
    let actions = json!([link_check()]).to_string();
    for path in ["relative", "/tmp/../etc"] {
        let Err(error) = parsed(&[("ACTIONS", &actions), ("WORK_FOLDER", path)]) else { panic!("accepted {path}") };
        assert!(error.to_string().contains("WORK_FOLDER: must be an absolute path"), "{error}");
    }
}

fn with_run(run: Value) -> Value {
    let mut entry = link_check();
    entry["timeoutSeconds"] = json!(7200);
    entry["run"] = run;
    entry
}

const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn http_entry() -> Value {
    with_run(json!({"http": {"url": "https://checks.example.com/jobs", "secretVariable": "CHECKS_KEY"}}))
}

#[test]
fn work_outside_may_take_longer_than_the_function() {
    let machine = with_run(json!({"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"}));
    let mut http = http_entry();
    http["queryParam"] = json!({"Project": "other"});
    let actions = json!([machine, http]).to_string();
    let config = parsed(&[("ACTIONS", &actions), ("CHECKS_KEY", WEBHOOK_KEY)]).unwrap_or_else(|e| panic!("{e}"));
    let machine = "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout".to_owned();
    assert_eq!(config.actions[0].run.waits_for, Some(machine));
    let times = |index: usize| {
        let run = &config.actions[index].run;
        (run.turn.as_secs(), run.overall.as_secs())
    };
    assert_eq!((times(0), times(1)), ((30, 7200), (70, 7200)));
}

#[test]
fn work_outside_ends_before_codepipeline_ends_its_action() {
    let arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout";
    let configured = |seconds: Option<Value>| {
        let mut entry = with_run(json!({"stateMachine": arn}));
        match seconds {
            Some(seconds) => entry["timeoutSeconds"] = seconds,
            None => drop(entry.as_object_mut().unwrap().remove("timeoutSeconds")),
        }
        let mut config = parsed(&[("ACTIONS", &json!([entry]).to_string())]).map_err(|error| error.to_string())?;
        let run = config.actions.remove(0).run;
        Ok::<_, String>((run.overall.as_secs(), run.lowered_from.map(|configured| configured.as_secs())))
    };
    assert_eq!(configured(None), Ok((85_500, None)));
    for (seconds, used, asked) in [
        (json!(85_499), 85_499, None),
        (json!(85_500), 85_500, None),
        (json!(85_501), 85_500, Some(85_501)),
        (json!("86400"), 85_500, Some(86_400)),
    ] {
        assert_eq!(configured(Some(seconds)), Ok((used, asked)));
    }
    assert!(configured(Some(json!(86_401))).unwrap_err().contains("whole number of seconds from 1 to 86400"));
}

#[test]
fn each_kind_of_run_has_its_rules() {
    for (run, rule) in [
        (json!({}), "run: must be an object with exactly one member: command, http, stateMachine"),
        (json!({"command": ["a"], "http": {}}), "exactly one member"),
        (json!({"script": "x"}), "run: has no member 'script'"),
        (json!({"stateMachine": 1}), "run.stateMachine: must be a string"),
        (json!({"stateMachine": "arn:aws:s3:::bucket"}), "run.stateMachine: "),
        (json!({"http": "https://x.example"}), "run.http: must be an object"),
        (
            json!({"http": {"url": "https://x.example", "secretVariable": "UNSET"}}),
            "names the variable UNSET, which is not set",
        ),
        (json!({"http": {"url": "https://x.example"}}), "run.http.secretVariable: must be the name"),
        (json!({"http": {"url": 1, "secretVariable": "UNSET"}}), "run.http.url: must be a string"),
    ] {
        let said = mistakes(&with_run(run));
        assert!(said.contains(rule), "'{rule}' is missing in: {said}");
    }
    let plain = with_run(json!({"http": {"url": "http://x.example", "secretVariable": "CHECKS_KEY"}}));
    let actions = json!([plain]).to_string();
    let said = parsed(&[("ACTIONS", &actions), ("CHECKS_KEY", WEBHOOK_KEY)]).err().unwrap().to_string();
    assert!(said.contains("ACTIONS[0].run.http.url: "), "{said}");
    let said = parsed(&[("ACTIONS", &json!([http_entry()]).to_string()), ("CHECKS_KEY", "hunter22")]);
    let said = said.err().unwrap().to_string();
    assert!(said.contains("CHECKS_KEY: ") && !said.contains("hunter22"), "{said}");
}

#[test]
fn a_worker_with_actions_of_its_own_needs_no_others() {
    let none = Config::beside_own_actions(&Environment::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(none.actions.is_empty());
    let actions = json!([link_check()]).to_string();
    let both = Config::beside_own_actions(&[("ACTIONS", actions)].into_iter().collect());
    assert_eq!(both.unwrap_or_else(|e| panic!("{e}")).actions.len(), 1);
}

#[test]
fn no_mistake_hides_another() {
    let mut entry = link_check();
    entry["actionType"] = json!({"category": "Test", "owner": "AWS", "provider": 7, "version": "1", "vendor": "x"});
    entry["queryParam"] = json!({"Project": "web"});
    entry["secrets"] = json!(["ApiToken", 7]);
    entry["timeoutSeconds"] = json!("60s");
    entry["shared"] = json!(true);
    entry["run"] = json!({
        "command": ["", "{config:A} {Config: B}", 7, "{Config:ApiToken}{Config:UserParameters}"],
        "http": {"url": "http://x.example", "secretVariable": "SHORT_KEY", "requestTimeoutSeconds": 0},
        "stateMachine": "arn:aws:s3:::x",
        "script": "x"
    });
    let third_party = json!({"actionType": {"owner": "ThirdParty"}, "timeoutSeconds": 0});
    let actions = json!([entry, third_party, 7]).to_string();
    let variables =
        [("ACTIONS", &*actions), ("SHORT_KEY", "s3cr3t"), ("CONCURRENCY", "4 jobs"), ("LEDGER_BUCKE", "s3cr3t")];
    let said = parsed(&[&variables[..], &[("LEDGER_BUCKET", ""), ("RUST_LOG", "loud")]].concat()).err().unwrap();
    let said = said.to_string();
    for part in [
        "CONCURRENCY: must be a whole number from 1 to 100 (jobs), in digits alone",
        "RUST_LOG: must be one of",
        "ACTIONS[0].actionType: has no member 'vendor'",
        "ACTIONS[0].actionType.provider: must be a string",
        "ACTIONS[0].actionType: of the owner AWS must be",
        "ACTIONS[0].queryParam: is for the owner Custom alone",
        "ACTIONS[0].secrets[1]: must be a configuration key",
        "ACTIONS[0].shared: is for types that are polled",
        "ACTIONS[0].run: must be an object with exactly one member",
        "ACTIONS[0].run: has no member 'script'",
        "ACTIONS[0].timeoutSeconds: must be a whole number of seconds, 1 or more",
        "ACTIONS[0].run.command: the command is empty",
        "ACTIONS[0].run.command[1]: the text at character 1 looks like a placeholder",
        "ACTIONS[0].run.command[1]: the placeholder `{Config:…}` at character 12 has white space",
        "ACTIONS[0].run.command[2]: must be a string",
        "ACTIONS[0].run.command: element 3 names `{Config:ApiToken}`",
        "ACTIONS[0].run.command: element 3 names `{Config:UserParameters}`",
        "ACTIONS[0].run.http.requestTimeoutSeconds: must be",
        "ACTIONS[0].run.http.url: the URL must begin with https://",
        "SHORT_KEY: the webhook secret must be",
        "ACTIONS[0].run.stateMachine: must be the ARN",
        "ACTIONS[1].actionType.category: must be one of",
        "ACTIONS[1].run: must be an object with exactly one member",
        "ACTIONS[1].timeoutSeconds: must be a whole number",
        "ACTIONS[2]: must be an object",
        "CLIENT_TOKENS_SECRET: must be set where a ThirdParty type is served",
        "LEDGER_BUCKET: is empty",
        "LEDGER_BUCKE: is not a variable of the worker; did you mean LEDGER_BUCKET?",
    ] {
        assert!(said.contains(part), "'{part}' is missing in: {said}");
    }
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn mistakes_do_not_hide_that_two_entries_are_for_the_same_jobs() {
    let mut broken = link_check();
    broken["run"] = json!({});
    let actions = json!([broken, broken]).to_string();
    let said = parsed(&[("ACTIONS", &actions)]).err().unwrap().to_string();
    assert!(said.contains("ACTIONS[1]: an earlier entry is for the same action type"), "{said}");
}

#[test]
fn actions_inline_and_in_a_file_are_both_checked() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "\u{feff}[7]").unwrap();
    let both = [("ACTIONS", "{}"), ("ACTIONS_FILE", file.path().to_str().unwrap())];
    let said = parsed(&both).err().unwrap().to_string();
    for part in [
        "not both",
        "ACTIONS: must be a JSON array: put the entry between [ and ]",
        "ACTIONS_FILE[0]: must be an object",
    ] {
        assert!(said.contains(part), "'{part}' is missing in: {said}");
    }
    let quoted_twice = json!(json!([link_check()]).to_string()).to_string();
    let said = parsed(&[("ACTIONS", &quoted_twice)]).err().unwrap().to_string();
    assert!(said.contains("is one string: its JSON was quoted once too often"), "{said}");
}

#[test]
fn each_plain_variable_has_a_rule_and_repeats_no_value() {
    let actions = json!([link_check()]).to_string();
    for variable in &VARIABLES {
        let values: &[&str] = match variable {
            Variable::Number(_) => &["", " ", "60s", "1e3", "4.0", "-1", "0x10", "1,000", "s3cr3t"],
            Variable::Flag(_) => &["", "True", "yes", "1", "on", "s3cr3t"],
            Variable::Text(text) if ["ACTIONS", "ACTIONS_FILE", "RUST_LOG"].contains(&text.name) => continue,
            Variable::Text(_) => &["", " ", "s3cr3t value"],
        };
        for value in values {
            let said = parsed(&[("ACTIONS", &actions), (variable.name(), value)]).err();
            let said = said.unwrap_or_else(|| panic!("{} takes {value:?}", variable.name())).to_string();
            assert!(said.contains(&format!("1 mistake: {}: ", variable.name())) && !said.contains("s3cr3t"), "{said}");
        }
    }
}

#[test]
fn a_variable_that_actions_names_may_look_like_another() {
    let mut http = http_entry();
    http["run"]["http"]["secretVariable"] = json!("LEDGER_BUCKETS");
    let actions = json!([http]).to_string();
    assert!(parsed(&[("ACTIONS", &actions), ("LEDGER_BUCKETS", WEBHOOK_KEY)]).is_ok());
    assert!(parsed(&[("ACTIONS", &actions), ("LEDGER_BUCKETS", WEBHOOK_KEY), ("LEDGER_BUCKE", "x")]).is_err());
}
