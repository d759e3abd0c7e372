//! Entries for which this build of the worker lacks a cargo feature. `.ci/run` runs these tests without any feature.

use super::*;

fn enable(what: &str, feature: &str) -> String {
    format!("this worker was built without {what}: enable the cargo feature `{feature}` of codepipeline-worker")
}

#[test]
fn left_out_kind_is_named_with_its_feature() {
    for (entry, kind, feature) in
        [(http_entry(), "http", "http"), (with_run(json!({"stateMachine": "arn"})), "stateMachine", "state-machine")]
    {
        let place = format!("ACTIONS[0].run.{kind}");
        let expected = format!(
            "the configuration has 1 mistake: {place}: {}",
            enable(&format!("actions of the kind {kind}"), feature)
        );
        assert_eq!(mistakes(&entry), expected);
    }
}

#[test]
fn left_out_kind_is_still_a_known_one() {
    let said = mistakes(&with_run(json!({"webhook": {}})));
    assert!(said.contains("ACTIONS[0].run: has no member 'webhook'; it has command, http, stateMachine"), "{said}");
}

#[test]
fn left_out_third_party_types_are_named_with_their_feature() {
    let expected = enable("third-party actions", "third-party");
    let said = mistakes(&of_type("ThirdParty", "Build", "Partner"));
    assert_eq!(said, format!("the configuration has 1 mistake: ACTIONS[0].actionType.owner: {expected}"));
}
