//! Messages about mistakes.

use super::*;

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
fn message_shows_no_value() {
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
        "CONCURRENCY: must be a whole number from 1 to 100 (jobs), in digits only",
        "RUST_LOG: must be one of",
        "ACTIONS[0].actionType: has no member 'vendor'",
        "ACTIONS[0].actionType.provider: must be a string",
        "ACTIONS[0].actionType: with the owner AWS must be",
        "ACTIONS[0].queryParam: works only with the owner Custom",
        "ACTIONS[0].secrets[1]: must be a configuration key",
        "ACTIONS[0].shared: is only for types that are polled",
        "ACTIONS[0].run: must be an object with exactly one member",
        "ACTIONS[0].run: has no member 'script'",
        "ACTIONS[0].timeoutSeconds: must be a whole number of seconds, 1 or more",
        "ACTIONS[0].run.command: the command is empty",
        "ACTIONS[0].run.command[1]: the text at character 1 looks like a placeholder",
        "ACTIONS[0].run.command[1]: the placeholder `{Config:…}` at character 12 has white space",
        "ACTIONS[0].run.command[2]: must be a string",
        "ACTIONS[0].run.command[3]: names `{Config:ApiToken}`",
        "ACTIONS[0].run.command[3]: names `{Config:UserParameters}`",
        "ACTIONS[0].run.http.requestTimeoutSeconds: must be",
        "ACTIONS[0].run.http.url: the URL must begin with https://",
        "SHORT_KEY: the webhook secret must be",
        "ACTIONS[0].run.stateMachine: must be the ARN",
        "ACTIONS[1].actionType.category: must be one of",
        "ACTIONS[1].run: must be an object with exactly one member",
        "ACTIONS[1].timeoutSeconds: must be a whole number",
        "ACTIONS[2]: must be an object",
        "CLIENT_TOKENS_SECRET: must be set if ACTIONS has a ThirdParty type",
        "LEDGER_BUCKET: is empty",
        "LEDGER_BUCKE: is not a variable of the worker; did you mean LEDGER_BUCKET?",
    ] {
        assert!(said.contains(part), "'{part}' is missing in: {said}");
    }
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn every_variable_has_a_rule_and_shows_no_value() {
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
