//! Runs that must fail, which `--dry-run` refuses.

use std::path::Path;

use serde_json::{Value, json};

use super::builds::dry_run;
use super::{action, folder};

/// Changes the source action, and gives it the namespace `V`.
fn change_source(folder: &Path, change: impl FnOnce(&mut Value)) {
    let file = folder.join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let source = &mut declared["pipeline"]["stages"][0]["actions"][0];
    source["namespace"] = json!("V");
    change(source);
    std::fs::write(file, declared.to_string()).unwrap();
}

#[test]
fn wrong_deployment_is_found() {
    let deploy = |configuration: Value| {
        let members = json!({"configuration": configuration, "inputArtifacts": [{"name": "App"}]});
        let folder = folder(&[action("Ship", "Deploy/AWS/S3/1", &members)]);
        change_source(folder.path(), |_| {});
        dry_run(folder.path(), &[])
    };
    for (configuration, named) in [
        (json!({"BucketName": "site", "Extract": "maybe"}), "Work/Ship: Extract must be true or false"),
        (json!({"BucketName": "site", "Extract": "false"}), "Work/Ship: With Extract=false, add ObjectKey"),
    ] {
        let (output, error) = deploy(configuration);
        assert!(error.contains(named) && !output.contains("ready"), "{output}{error}");
    }
    let (output, error) = deploy(json!({"BucketName": "site", "Extract": "#{V.BranchName}"}));
    assert!(output.contains("ready"), "{error}");
}
