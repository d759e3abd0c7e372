//! Buckets that S3 actions name.

use serde_json::{Value, json};

use super::{action, commands, folder, run, text};

/// A deployment of the source to this bucket.
fn deployment(bucket: &str) -> Value {
    let configuration = json!({"BucketName": bucket, "Extract": "true"});
    let mut action = action("Dep", "Deploy/AWS/S3/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    (action["configuration"], action["runOrder"]) = (configuration, json!(2));
    action
}

#[test]
fn bucket_that_a_variable_names_is_created() {
    let mut make = commands("Make", &["export ID=made"]);
    (make["namespace"], make["outputVariables"]) = (json!("Make"), json!(["ID"]));
    let folder = folder(&[make, deployment("#{variables.Ver}-#{Make.ID}-buck")]);
    let file = folder.path().join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    declared["pipeline"]["variables"] = json!([{"name": "Ver", "defaultValue": "v1"}]);
    std::fs::write(file, declared.to_string()).unwrap();
    let output = run(folder.path(), &["--source", "App=app"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    assert!(shown.contains("[Dep] deployed 1 object in s3://v1-made-buck/"), "{shown}");
    let output = run(folder.path(), &["--source", "App=app", "--variable", "Ver=BAD"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert!(error.contains("web failed: Work/Dep (ConfigurationError)"), "{error}");
    let named = "could not create the bucket BAD-made-buck: the name is invalid: it must have 3 to 63 characters";
    assert!(shown.contains(named), "{shown}");
}

#[test]
fn variables_name_the_object_of_a_source() {
    let folder = folder(&[commands("Show", &["cat hello.txt"])]);
    let file = folder.path().join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    declared["pipeline"]["variables"] = json!([{"name": "Ver", "defaultValue": "v1"}, {"name": "Name"}]);
    let configuration =
        json!({"S3Bucket": "#{variables.Ver}-src", "S3ObjectKey": "#{variables.Name}/#{variables.Ver}.zip"});
    let members = json!({"configuration": configuration, "outputArtifacts": [{"name": "App"}]});
    declared["pipeline"]["stages"][0]["actions"][0] = action("App", "Source/AWS/S3/1", &members);
    std::fs::write(file, declared.to_string()).unwrap();
    let output = run(folder.path(), &["--source", "App=app", "--variable", "Name=web"]);
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.contains("[Show] hello"), "{shown}{}", text(&output.stderr));
}

#[test]
fn invalid_bucket_of_an_action_that_runs_is_named() {
    let folder = folder(&[deployment("Bad_Bucket!")]);
    let output = run(folder.path(), &["--source", "App=app", "--dry-run"]);
    let error = text(&output.stderr);
    let named =
        "Work/Dep: BucketName is \"Bad_Bucket!\", which is not the name of a bucket: it must have 3 to 63 characters";
    assert!(!output.status.success() && error.contains(named), "{error}");
    assert!(error.ends_with("; correct it in the file, or add --skip Work/Dep\n"), "{error}");
    let output = run(folder.path(), &["--source", "App=app", "--skip", "Work/Dep"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn invalid_bucket_of_a_template_is_named_with_its_resource() {
    let folder = tempfile::tempdir().unwrap();
    let template = "
Resources:
  Site: {Type: AWS::S3::Bucket, Properties: {BucketName: Bad_Bucket!}}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: web
      RoleArn: arn:aws:iam::123456789012:role/any
      ArtifactStore: {Type: S3, Location: artifacts}
      Stages:
        - Name: Ask
          Actions: [{Name: Ask, ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: '1'}}]
";
    std::fs::write(folder.path().join("template.yaml"), template).unwrap();
    let error = text(&run(folder.path(), &["--yes"]).stderr);
    let named = "could not create the bucket Bad_Bucket! of the resource Site: the name is invalid: it must have 3";
    assert!(error.contains(named) && error.ends_with("; correct its BucketName\n"), "{error}");
}
