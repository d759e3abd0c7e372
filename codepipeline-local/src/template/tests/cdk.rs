//! Templates as the AWS CDK writes them.

use super::super::project::Buildspec;
use super::*;

const TEMPLATE: &str = r#"{
  "Resources": {
    "ArtifactsBucket2AAC5544": {"Type": "AWS::S3::Bucket", "UpdateReplacePolicy": "Retain"},
    "PipelineRoleB27FAA37": {"Type": "AWS::IAM::Role"},
    "PipelineC660917D": {
      "Type": "AWS::CodePipeline::Pipeline",
      "Properties": {
        "RoleArn": {"Fn::GetAtt": ["PipelineRoleB27FAA37", "Arn"]},
        "ArtifactStore": {"Type": "S3", "Location": {"Ref": "ArtifactsBucket2AAC5544"}},
        "Stages": [{"Name": "Build", "Actions": [
          {
            "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
            "Configuration": {"ProjectName": {"Ref": "BuildD0D9A0B1"}, "EnvironmentVariables": "[{\"name\":\"A\"}]"},
            "Name": "Build", "RunOrder": 1
          },
          {
            "ActionTypeId": {"Category": "Invoke", "Owner": "AWS", "Provider": "Lambda", "Version": "1"},
            "Configuration": {"FunctionName": {"Ref": "NotifyCDE1F4E8"}}, "Name": "Notify", "RunOrder": 2
          }
        ]}]
      },
      "DependsOn": ["PipelineRoleB27FAA37"],
      "Metadata": {"aws:cdk:path": "App/Pipeline/Resource"}
    },
    "BuildD0D9A0B1": {
      "Type": "AWS::CodeBuild::Project",
      "Properties": {
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": {"Fn::Join": ["", ["{\n  \"version\": \"0.2\",\n  \"x\": \"", {"Ref": "AWS::Region"}, "\"\n}"]]}},
        "EncryptionKey": "alias/aws/s3", "Cache": {"Type": "NO_CACHE"}
      }
    },
    "NotifyCDE1F4E8": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Code": {"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "0a1b.zip"},
        "Handler": "index.handler", "Runtime": "nodejs22.x"
      }
    },
    "OtherF00": {
      "Type": "AWS::Lambda::Function",
      "Properties": {"Code": {"S3Key": "unknown.zip"}, "Handler": "index.handler"},
      "Metadata": {"aws:asset:path": "asset.77", "aws:asset:property": "Code"}
    },
    "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Condition": "CDKMetadataAvailable"}
  },
  "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}},
  "Conditions": {"CDKMetadataAvailable": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
  "Rules": {"CheckBootstrapVersion": {"Assertions": []}}
}"#;

const ASSETS: &str = r#"{"version": "48.0.0", "files": {
  "0a1b": {
    "source": {"path": "asset.0a1b", "packaging": "zip"},
    "destinations": {"current_account-current_region-1": {"bucketName": "cdk-assets", "objectKey": "0a1b.zip"}}
  }
}}"#;

#[test]
fn synthesised_template_needs_no_parameter() {
    let files = [("App.template.json", TEMPLATE), ("App.assets.json", ASSETS)];
    let project = load_files(&files, &[]).unwrap();
    assert!(project.notes.is_empty(), "{:?}", project.notes);
    let actions = &project.pipelines[0].declaration["stages"][0]["actions"];
    assert_eq!(actions[0]["configuration"]["ProjectName"], "BuildD0D9A0B1");
    let spec = "{\n  \"version\": \"0.2\",\n  \"x\": \"us-east-1\"\n}";
    assert_eq!(project.code_build["BuildD0D9A0B1"].buildspec, Buildspec::Inline(spec.to_owned()));
    let folder = project.file.parent().unwrap();
    let code = |name: &str| project.functions[name].code.as_deref();
    assert_eq!(code("NotifyCDE1F4E8"), Some(&*folder.join("asset.0a1b")));
    assert_eq!(code("OtherF00"), Some(&*folder.join("asset.77")));
}

#[test]
fn broken_list_of_assets_is_a_note() {
    let project = load_files(&[("App.template.json", TEMPLATE), ("App.assets.json", "{")], &[]).unwrap();
    assert!(project.notes[0].message.contains("is not valid JSON"), "{:?}", project.notes);
    assert!(project.functions["NotifyCDE1F4E8"].code.is_none());
}

/// A template that imports the value from the stack `Store`.
fn importing(name: &str) -> String {
    let value = format!("{{\"Fn::ImportValue\": \"{name}\"}}");
    let read = crate::yaml::read(&with_configuration(&value, "")).unwrap();
    read.to_value().to_string()
}

const STORE: &str = r#"{
  "Parameters": {"Suffix": {"Type": "String"}},
  "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
  "Resources": {"Files83908E77": {"Type": "AWS::S3::Bucket"}},
  "Outputs": {
    "Name": {"Value": {"Ref": "Files83908E77"}, "Export": {"Name": "Store:Files"}},
    "Given": {"Value": {"Ref": "Suffix"}, "Export": {"Name": "Store:Given"}},
    "Again": {"Value": {"Fn::ImportValue": "Other:Arn"}, "Export": {"Name": "Store:Again"}},
    "Never": {"Condition": "Never", "Value": "x", "Export": {"Name": "Store:Never"}},
    "Lost": {"Value": {"Ref": "Missing"}, "Export": {"Name": "Store:Lost"}},
    "Own": {"Value": "not exported"}
  }
}"#;

const OTHER: &str = r#"{
  "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
  "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": "Other:Arn"}}}
}"#;

fn imported(name: &str, given: &[&str]) -> Result<Value, Vec<String>> {
    let own = importing(name);
    let files = [("A.template.json", own.as_str()), ("B.template.json", STORE), ("C.template.json", OTHER)];
    let project = load_files(&files, given)?;
    Ok(project.pipelines[0].declaration["stages"][0]["actions"][0]["configuration"]["Value"].clone())
}

#[test]
fn import_comes_from_another_stack_of_the_app() {
    assert_eq!(imported("Store:Files", &[]).unwrap(), "files83908e77");
    assert_eq!(imported("Store:Given", &["Suffix=x"]).unwrap(), "x");
    assert_eq!(imported("Store:Again", &[]).unwrap(), "arn:aws:sns:us-east-1:123456789012:Topic");
    assert_eq!(imported("Store:Files", &["Store:Files=mine"]).unwrap(), "mine");
}

#[test]
fn import_that_no_stack_resolves_is_asked_for() {
    for name in ["Store:Given", "Store:Never", "Store:Lost", "Elsewhere"] {
        let problem = only_problem(imported(name, &[]));
        assert!(
            problem.contains(&format!("imports \"{name}\" of another stack; type --parameter {name}=VALUE")),
            "{problem}"
        );
    }
}
