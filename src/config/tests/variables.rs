//! Variables of the function.

use super::*;

#[test]
fn tests_of_kinds_use_the_default_settings() {
    let settings = parsed(&[("ACTIONS", &json!([link_check()]).to_string())]).map(|config| config.settings);
    assert_eq!(settings.unwrap_or_else(|error| panic!("{error}")), Settings::of_tests());
}

#[test]
fn third_party_types_need_the_secret_of_client_tokens() {
    let third_party = of_type("ThirdParty", "Build", "Partner");
    assert!(mistakes(&third_party).contains("1 mistake: CLIENT_TOKENS_SECRET: must be set"));

    let actions = json!([third_party]).to_string();
    let Err(error) = parsed(&[("ACTIONS", &actions), ("CLIENT_TOKENS_SECRET", "clients:s3cr3t ")]) else {
        panic!("accepted")
    };
    let said = error.to_string();
    assert!(said.contains("CLIENT_TOKENS_SECRET: must be the prefix") && !said.contains("s3cr3t"), "{said}");
}

#[test]
fn ledger_bucket_has_a_name_that_s3_allows() {
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
fn metrics_have_a_namespace_unless_they_are_off() {
    let actions = json!([link_check()]).to_string();
    let namespace = |variables: &[(&str, &str)]| {
        let all = [&[("ACTIONS", actions.as_str())], variables].concat();
        parsed(&all).map(|config| config.metrics_namespace).map_err(|error| error.to_string())
    };
    assert_eq!(namespace(&[]), Ok(Some("codepipeline-worker".to_owned())));
    assert_eq!(namespace(&[("METRICS_NAMESPACE", "team/worker.1")]), Ok(Some("team/worker.1".to_owned())));
    assert_eq!(namespace(&[("METRICS", "false")]), Ok(None));
    assert!(namespace(&[("METRICS_NAMESPACE", "")]).unwrap_err().contains("METRICS_NAMESPACE: is empty"));
    for name in ["AWS/Lambda", ":a", "a b", "a\"b", &"x".repeat(256)] {
        let said = namespace(&[("METRICS_NAMESPACE", name)]).unwrap_err();
        assert!(said.contains("METRICS_NAMESPACE: must be a CloudWatch namespace"), "{name}: {said}");
    }
}

#[test]
fn actions_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!([link_check()]).to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(parsed(&[("ACTIONS_FILE", path)]).map(|config| config.actions.len()).ok(), Some(1));

    let missing = parsed(&[("ACTIONS_FILE", "/does/not/exist")]).err().unwrap().to_string();
    assert!(missing.contains("ACTIONS_FILE: names a file that does not exist"), "{missing}");
    let folder = parsed(&[("ACTIONS_FILE", "/")]).err().unwrap().to_string();
    assert!(folder.contains("ACTIONS_FILE: can't be read"), "{folder}");
    let both = parsed(&[("ACTIONS_FILE", path), ("ACTIONS", "[]")]).err().unwrap().to_string();
    assert!(both.contains("not both"), "{both}");
    let neither = parsed(&[]).err().unwrap().to_string();
    assert!(neither.contains("ACTIONS: is not set"), "{neither}");
}

#[test]
fn inline_actions_and_a_file_are_both_checked() {
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
    assert!(said.contains("is a string: remove the quotes around the array"), "{said}");
}

#[test]
fn folder_must_be_absolute() {
    let actions = json!([link_check()]).to_string();
    for path in ["relative", "/tmp/../etc"] {
        let Err(error) = parsed(&[("ACTIONS", &actions), ("WORK_FOLDER", path)]) else { panic!("accepted {path}") };
        assert!(error.to_string().contains("WORK_FOLDER: must be an absolute path"), "{error}");
    }
}

#[test]
fn worker_with_own_actions_needs_no_others() {
    let none = Config::beside_own_actions(&Environment::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(none.actions.is_empty());
    let actions = json!([link_check()]).to_string();
    let both = Config::beside_own_actions(&[("ACTIONS", actions)].into_iter().collect());
    assert_eq!(both.unwrap_or_else(|e| panic!("{e}")).actions.len(), 1);
}

#[test]
fn variable_that_actions_names_may_look_like_ours() {
    let mut http = http_entry();
    http["run"]["http"]["secretVariable"] = json!("LEDGER_BUCKETS");
    let actions = json!([http]).to_string();
    assert!(parsed(&[("ACTIONS", &actions), ("LEDGER_BUCKETS", WEBHOOK_KEY)]).is_ok());
    assert!(parsed(&[("ACTIONS", &actions), ("LEDGER_BUCKETS", WEBHOOK_KEY), ("LEDGER_BUCKE", "x")]).is_err());
}
