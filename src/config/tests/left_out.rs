//! Entries that need a cargo feature which this build of the worker lacks. `.ci/run` runs these tests without any feature.

use super::*;

/// The only mistake of `entry`: the member at `place` needs `what`, which `feature` enables.
fn assert_left_out(entry: &Value, place: &str, what: &str, feature: &str) {
    let rule =
        format!("this worker was built without {what}: enable the cargo feature `{feature}` of codepipeline-worker");
    assert_eq!(mistakes(entry), format!("the configuration has 1 mistake: ACTIONS[0].{place}: {rule}"));
}

#[test]
#[cfg(not(feature = "http"))]
fn left_out_http_is_named_with_its_feature() {
    assert_left_out(&http_entry(), "run.http", "actions of the kind http", "http");
}

#[test]
#[cfg(not(feature = "state-machine"))]
fn left_out_state_machine_is_named_with_its_feature() {
    let entry = with_run(json!({"stateMachine": "arn"}));
    assert_left_out(&entry, "run.stateMachine", "actions of the kind stateMachine", "state-machine");
}

#[test]
fn left_out_kind_is_still_a_known_one() {
    let said = mistakes(&with_run(json!({"webhook": {}})));
    for kind in ["command", "http", "stateMachine"] {
        assert!(said.contains("ACTIONS[0].run: has no member 'webhook'; it has") && said.contains(kind), "{said}");
    }
}

#[test]
#[cfg(not(feature = "third-party"))]
fn left_out_third_party_types_are_named_with_their_feature() {
    let entry = of_type("ThirdParty", "Build", "Partner");
    assert_left_out(&entry, "actionType.owner", "third-party actions", "third-party");
}
