use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn parsed(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::from_variables(find)
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

#[test]
fn a_whole_configuration_is_understood() {
    let actions = json!([link_check()]).to_string();
    let config =
        parsed(&[("ACTIONS", &actions), ("CONCURRENCY", "2"), ("RUST_LOG", "debug")]).unwrap_or_else(|e| panic!("{e}"));
    let action = &config.actions[0];
    assert_eq!(action.action_type.to_string(), "Custom/Test/LinkCheck/1");
    assert_eq!(action.query_param, Some(("Project".into(), "web".into())));
    assert_eq!(action.secrets, ["ApiToken"]);
    assert_eq!(action.timeout, Duration::from_secs(600));
    assert_eq!(config.limits.concurrency, 2);
    assert_eq!(config.log_level, Level::DEBUG);
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
    let said = match parsed(&[("ACTIONS", &actions), ("CONCURRENCY", "0"), ("MAX_UNPACKED_BYTES", "much")]) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    for part in [
        "8 mistakes",
        "CONCURRENCY: must be a whole number from 1 to 100",
        "MAX_UNPACKED_BYTES: ",
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
    assert!(error.to_string().contains("ACTIONS[1]: an earlier entry polls"), "{error}");
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
