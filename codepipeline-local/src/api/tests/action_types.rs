use super::*;

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut input = action_type();
    change(&mut input);
    input
}

#[test]
fn type_is_returned_as_declared() {
    let mut local = Local::new();
    let input = changed(|input| input["tags"] = json!([{"key": "team", "value": "a"}]));
    let reply = local.call("CreateCustomActionType", &input);
    assert_eq!(reply["actionType"]["id"], type_id());
    assert_eq!(reply["actionType"]["actionConfigurationProperties"], input["configurationProperties"]);
    assert_eq!(reply["tags"], input["tags"]);
    let listed = local.call("ListActionTypes", &json!({"actionOwnerFilter": "Custom"}));
    assert_eq!(listed["actionTypes"], json!([reply["actionType"]]));
    let all = local.call("ListActionTypes", &json!({}));
    let providers = all["actionTypes"].as_array().unwrap().iter().map(|known| &known["id"]["provider"]);
    assert_eq!(providers.collect::<Vec<_>>(), ["Manual", "Lambda", "S3", "Check"]);
    let elsewhere = local.call("ListActionTypes", &json!({"regionFilter": "eu-west-1"}));
    let owners = elsewhere["actionTypes"].as_array().unwrap().iter().map(|known| &known["id"]["owner"]);
    assert_eq!(owners.collect::<Vec<_>>(), ["AWS", "AWS", "AWS"]);
}

#[test]
fn queryable_property_is_unique_required_and_open() {
    let mut local = Local::new();
    for (properties, named) in [
        (json!([property("A", true, false, true), property("B", true, false, true)]), "names 'A, B'"),
        (json!([property("A", false, false, true)]), "'A'"),
        (json!([property("A", true, true, true)]), "'A'"),
        (json!([property("A", true, false, false), property("A", true, false, false)]), "more than once"),
    ] {
        let mut input = action_type();
        input["configurationProperties"] = properties;
        input["settings"] = Value::Null;
        let (name, message) = local.refused("CreateCustomActionType", &input);
        assert_eq!(name, "InvalidActionTypeException");
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn url_template_names_required_open_properties() {
    let mut local = Local::new();
    for template in ["https://ci/{Config:Token}", "{Config:Nowhere}"] {
        let input = changed(|input| input["settings"]["revisionUrlTemplate"] = template.into());
        let (_, message) = local.refused("CreateCustomActionType", &input);
        assert!(message.contains("settings.revisionUrlTemplate"), "{message}");
    }
}

#[test]
fn artifact_counts_are_in_order() {
    let input = changed(|input| input["inputArtifactDetails"] = json!({"minimumCount": 2, "maximumCount": 1}));
    assert!(
        Local::new()
            .refused("CreateCustomActionType", &input)
            .1
            .contains("Artifacts (1) has to be greater than or equal to minimum (2)")
    );
}

#[test]
fn version_keeps_its_definition() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    local.call("CreateCustomActionType", &action_type());
    let other = changed(|input| input["settings"] = Value::Null);
    assert_eq!(local.refused("CreateCustomActionType", &other).0, "ActionTypeAlreadyExistsException");
    let id = json!({"category": "Test", "provider": "Check", "version": "1"});
    local.call("DeleteCustomActionType", &id);
    local.call("DeleteCustomActionType", &id);
    assert_eq!(local.refused("PollForJobs", &json!({"actionTypeId": type_id()})).0, "ActionTypeNotFoundException");
    assert_eq!(local.refused("CreateCustomActionType", &other).0, "ActionTypeAlreadyExistsException");
    local.call("CreateCustomActionType", &action_type());
    assert!(local.poll(1).is_empty());
}

#[test]
fn fifty_first_type_exceeds_the_limit() {
    let mut local = Local::new();
    let version = |version: u32| changed(|input| input["version"] = version.to_string().into());
    for number in 0..50 {
        local.call("CreateCustomActionType", &version(number));
    }
    let (name, message) = local.refused("CreateCustomActionType", &version(50));
    assert_eq!((name.as_str(), message.contains("50")), ("LimitExceededException", true));
}

#[test]
fn tags_are_unique_and_at_most_fifty() {
    let tags = |keys: Vec<String>| {
        let tags: Vec<Value> = keys.iter().map(|key| json!({"key": key, "value": ""})).collect();
        changed(|input| input["tags"] = tags.into())
    };
    let mut local = Local::new();
    let many = tags((0..51).map(|number| number.to_string()).collect());
    assert_eq!(local.refused("CreateCustomActionType", &many).0, "TooManyTagsException");
    for keys in [vec!["a".to_owned(), "a".to_owned()], vec!["aws:a".to_owned()]] {
        assert_eq!(local.refused("CreateCustomActionType", &tags(keys)).0, "InvalidTagsException");
    }
}
