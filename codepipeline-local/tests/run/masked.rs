//! Secret values that `get-pipeline` masks.

use serde_json::{Value, json};

use super::{action, commands, folder, program, run, text};

/// The folder, with a GitHub source of this configuration in the place of the other source.
fn from_git_hub(configuration: &Value, actions: &[Value]) -> tempfile::TempDir {
    let folder = folder(actions);
    let file = folder.path().join("pipeline.json");
    let mut answer: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let members = json!({"configuration": configuration, "outputArtifacts": [{"name": "App"}]});
    answer["pipeline"]["stages"][0]["actions"][0] = action("App", "Source/ThirdParty/GitHub/1", &members);
    std::fs::write(file, answer.to_string()).unwrap();
    folder
}

#[test]
fn git_hub_source_needs_no_token() {
    for token in [json!("****"), Value::Null] {
        let mut configuration = json!({"Owner": "o", "Repo": "r", "Branch": "main", "PollForSourceChanges": "false"});
        if !token.is_null() {
            configuration["OAuthToken"] = token;
        }
        let folder = from_git_hub(&configuration, &[commands("Show", &["cat hello.txt"])]);
        let output = run(folder.path(), &["--source", "App=app"]);
        let shown = text(&output.stdout);
        assert!(output.status.success() && shown.contains("[Show] hello"), "{shown}{}", text(&output.stderr));
        assert!(!shown.contains("note"), "{shown}");
        let output = run(folder.path(), &["--skip", "App", "--skip", "Show"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn secret_of_a_custom_action_is_noted_unless_it_is_given() {
    let folder = folder(&[action("Own", "Test/Custom/Shell/1", &json!({"configuration": {"Token": "****"}}))]);
    let arguments = ["--source", "App=app", "--worker", "true", "--dry-run"];
    let output = run(folder.path(), &arguments);
    let shown = text(&output.stdout);
    let note = "note the file has no value of Work/Own's secret Token, so the text not-in-the-file stands in for it; give it with \
                --secret Work/Own.Token=ENV, where ENV is the name";
    assert!(output.status.success() && shown.contains(note), "{shown}{}", text(&output.stderr));
    let given = [&arguments[..], &["--secret", "Work/Own.Token=OWN_TOKEN"]].concat();
    let output = program(folder.path(), &given).env("OWN_TOKEN", "hunter2").output().unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.contains("ready"), "{shown}{}", text(&output.stderr));
    assert!(!shown.contains("stands in") && !shown.contains("no build needs it"), "{shown}");
}

#[test]
fn action_gets_the_given_secret_or_a_stand_in() {
    let configuration = json!({"ApplicationName": "shop", "AccessToken": "****"});
    let folder = folder(&[action("Ship", "Deploy/ThirdParty/Ship/1", &json!({"configuration": configuration}))]);
    let expecting = |value: &str, arguments: &[&str]| {
        let provider = format!("Deploy/ThirdParty/Ship/1=test \"$CONFIG_ACCESSTOKEN\" = {value}");
        let arguments = [&["--source", "App=app", "--provider", &provider], arguments].concat();
        let output = program(folder.path(), &arguments).env("OWN_TOKEN", "hunter2").output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    assert!(expecting("not-in-the-file", &[]).contains("Work/Ship's secret AccessToken"));
    assert!(!expecting("hunter2", &["--secret", "Work/Ship.AccessToken=OWN_TOKEN"]).contains("note"));
}
