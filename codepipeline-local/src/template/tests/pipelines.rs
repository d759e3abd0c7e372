//! Pipelines and action types in the form of the API.

use serde_json::json;

use super::super::project::DisabledTransition;
use super::*;

const TEMPLATE: &str = r##"
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Branch: {Type: String, Default: main, Description: What to build}
  Token: {Type: String, NoEcho: true}
Conditions:
  Never: !Equals [a, b]
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      PipelineType: V2
      ExecutionMode: QUEUED
      RestartExecutionOnUpdate: true
      RoleArn: !ImportValue pipeline-role
      ArtifactStores:
        - Region: us-east-1
          ArtifactStore: {Type: S3, Location: !Ref Store, EncryptionKey: {Id: !GetAtt Key.Arn, Type: KMS}}
        - Region: !Sub eu-west-1
          ArtifactStore: {Type: S3, Location: elsewhere}
      DisableInboundStageTransitions:
        - {StageName: Deploy, Reason: not yet}
      Variables:
        - {Name: Version, DefaultValue: 1.10, Description: what to ship}
      Triggers:
        - ProviderType: CodeStarSourceConnection
          GitConfiguration:
            SourceActionName: Source
            Push: [{Branches: {Includes: [!Ref Branch]}}]
      Tags: [{Key: team, Value: web}]
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: 1}
              Configuration:
                ConnectionArn: !Ref Connection
                FullRepositoryId: !ImportValue repository
                BranchName: !Ref Branch
                DetectChanges: false
              OutputArtifacts: [{Name: Source}]
              Namespace: SourceVariables
              RunOrder: '1'
        - Name: Deploy
          Actions:
            - Name: Commands
              ActionTypeId: {Category: Compute, Owner: AWS, Provider: Commands, Version: '1'}
              Commands: [make, 'echo #{SourceVariables.CommitId}']
              OutputVariables: [A]
              EnvironmentVariables: [{Name: TOKEN, Value: secret/token, Type: SECRETS_MANAGER}]
              InputArtifacts: [{Name: Source}]
              OutputArtifacts: [{Name: Out, Files: ['**/*']}]
              TimeoutInMinutes: 7
              Retries: 3
            - !If [Never, {Name: Left out}, !Ref AWS::NoValue]
  Skipped:
    Type: AWS::CodePipeline::Pipeline
    Condition: Never
  Type:
    Type: AWS::CodePipeline::CustomActionType
    Properties:
      Category: Test
      Provider: Shell
      Version: 2
      Settings: {EntityUrlTemplate: 'https://example.com/{Config:Command}'}
      ConfigurationProperties: [{Name: Command, Required: true, Key: 'true', Secret: false, Queryable: false, Type: String}]
      InputArtifactDetails: {MinimumCount: 0, MaximumCount: '5'}
      OutputArtifactDetails: {MinimumCount: 0, MaximumCount: 1}
  Connection: {Type: AWS::CodeConnections::Connection, Properties: {ConnectionName: github, ProviderType: GitHub}}
  Store: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}
  Key: {Type: AWS::KMS::Key}
"##;

const CONNECTION: &str = "arn:aws:codeconnections:us-east-1:123456789012:connection/github";

#[test]
fn pipeline_gets_the_form_of_the_api() {
    let project = load_yaml(TEMPLATE, &[]).unwrap();
    assert_eq!(project.pipelines.len(), 1);
    let pipeline = &project.pipelines[0];
    assert_eq!(pipeline.logical_id.as_deref(), Some("Pipeline"));
    let key = json!({"id": "arn:aws:kms:us-east-1:123456789012:key/Key", "type": "KMS"});
    let expected = json!({
        "name": "Pipeline", "pipelineType": "V2", "executionMode": "QUEUED",
        "roleArn": "arn:aws:iam::123456789012:role/stand-in",
        "artifactStores": {
            "us-east-1": {"type": "S3", "location": "store", "encryptionKey": key},
            "eu-west-1": {"type": "S3", "location": "elsewhere"},
        },
        "variables": [{"name": "Version", "defaultValue": "1.10", "description": "what to ship"}],
        "triggers": [{
            "providerType": "CodeStarSourceConnection",
            "gitConfiguration": {"sourceActionName": "Source", "push": [{"branches": {"includes": ["main"]}}]},
        }],
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Source", "runOrder": 1, "namespace": "SourceVariables", "outputArtifacts": [{"name": "Source"}],
                "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"},
                "configuration": {
                    "ConnectionArn": CONNECTION, "FullRepositoryId": "stand-in/stand-in", "BranchName": "main",
                    "DetectChanges": "false",
                },
            }]},
            {"name": "Deploy", "actions": [{
                "name": "Commands", "timeoutInMinutes": 7, "inputArtifacts": [{"name": "Source"}],
                "actionTypeId": {"category": "Compute", "owner": "AWS", "provider": "Commands", "version": "1"},
                "commands": ["make", "echo #{SourceVariables.CommitId}"], "outputVariables": ["A"],
                "environmentVariables": [{"name": "TOKEN", "value": "secret/token", "type": "SECRETS_MANAGER"}],
                "outputArtifacts": [{"name": "Out", "files": ["**/*"]}],
            }]},
        ],
    });
    assert_eq!(pipeline.declaration, expected);
    assert_eq!(pipeline.tags, json!([{"key": "team", "value": "web"}]));
    let disabled = DisabledTransition { stage: "Deploy".to_owned(), reason: "not yet".to_owned() };
    assert_eq!(pipeline.disabled_transitions, [disabled]);
}

#[test]
fn stand_ins_and_unknown_members_are_noted() {
    let project = load_yaml(TEMPLATE, &[]).unwrap();
    let notes: Vec<_> = project.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (
                Some(15),
                "imports \"pipeline-role\" of another stack; type --parameter pipeline-role=VALUE, or leave the made-up value arn:aws:iam::123456789012:role/stand-in"
            ),
            (
                Some(38),
                "imports \"repository\" of another stack; type --parameter repository=VALUE, or leave the made-up value stand-in/stand-in"
            ),
            (Some(54), "is left out, because CodePipeline's ActionDeclaration has no such member"),
        ]
    );
}

#[test]
fn bucket_of_a_store_may_be_made_up() {
    let text = TEMPLATE.replace("Location: elsewhere", "Location: !ImportValue store");
    let project = load_yaml(&text, &[]).unwrap();
    let store = &project.pipelines[0].declaration["artifactStores"]["eu-west-1"];
    assert_eq!(store, &json!({"type": "S3", "location": "stand-in-artifacts"}));
    let given = load_yaml(&text, &["store=mine"]).unwrap();
    assert_eq!(given.pipelines[0].declaration["artifactStores"]["eu-west-1"]["location"], "mine");
}

#[test]
fn empty_value_may_be_made_up() {
    let text = TEMPLATE.replace("!Ref Connection\n", "''\n");
    let project = load_yaml(&text, &[]).unwrap();
    let source = &project.pipelines[0].declaration["stages"][0]["actions"][0];
    let stand_in = "arn:aws:codeconnections:us-east-1:123456789012:connection/stand-in";
    assert_eq!(source["configuration"]["ConnectionArn"], stand_in);
    assert_eq!(project.notes[1].message, format!("is empty, so {stand_in} stands in for it"));
}

#[test]
fn misspelt_reference_has_no_stand_in() {
    let text = TEMPLATE.replace("!Ref Connection\n", "!Ref Conection\n");
    let problem = only_problem(load_yaml(&text, &[]));
    assert!(problem.ends_with("did you mean Connection?"), "{problem}");
}

#[test]
fn action_type_gets_the_form_of_the_api() {
    let project = load_yaml(TEMPLATE, &[]).unwrap();
    let expected = json!({
        "category": "Test", "provider": "Shell", "version": "2",
        "settings": {"entityUrlTemplate": "https://example.com/{Config:Command}"},
        "configurationProperties": [
            {"name": "Command", "required": true, "key": true, "secret": false, "queryable": false, "type": "String"}
        ],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
    });
    assert_eq!(project.action_types, [expected]);
}

#[test]
fn buckets_and_connections_are_listed() {
    let project = load_yaml(TEMPLATE, &["Branch=dev"]).unwrap();
    let store = super::super::project::Bucket { logical_id: "Store".to_owned(), versioned: true };
    assert_eq!(project.buckets.into_iter().collect::<Vec<_>>(), [("store".to_owned(), store)]);
    assert_eq!(project.connections[CONNECTION], "Connection");
    assert!(project.file.ends_with("template.yaml"));
}

#[test]
fn answer_of_get_pipeline_is_taken_as_it_is() {
    let declaration = json!({
        "name": "web", "roleArn": "arn:aws:iam::123456789012:role/any", "version": 3, "pipelineType": "V1",
        "artifactStore": {"type": "S3", "location": "store"},
        "stages": [{"name": "Source", "actions": [{
            "name": "Source", "runOrder": 1, "region": "us-east-1", "inputArtifacts": [],
            "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
            "configuration": {"S3Bucket": "sources", "S3ObjectKey": "${Branch}.zip"},
        }]}],
    });
    let whole = json!({"pipeline": declaration, "metadata": {"pipelineArn": "arn:x", "created": 1.5}});
    for text in [whole.to_string(), declaration.to_string()] {
        let project = load_files(&[("pipeline.json", &text)], &[]).unwrap();
        assert_eq!(project.pipelines[0].declaration, declaration);
        assert!(project.pipelines[0].logical_id.is_none());
        assert!(project.notes.is_empty(), "{:?}", project.notes);
        let problem = only_problem(load_files(&[("pipeline.json", &text)], &["A=b"]));
        assert_eq!(problem, "pipeline.json: --parameter A: this file is no template and has no parameters");
    }
}

#[test]
fn answer_of_get_pipeline_may_be_yaml() {
    let text = "\
pipeline:
  name: web
  stages:
  - name: Source
    action:
    - name: Source
";
    let project = load_files(&[("pipeline.yaml", text)], &[]).unwrap();
    assert_eq!(project.pipelines[0].declaration, json!({"name": "web", "stages": [{"name": "Source"}]}));
    let note = &project.notes[0];
    assert_eq!((note.line, note.path.as_deref()), (Some(5), Some("pipeline.stages[0].action")));
    assert!(note.message.ends_with("did you mean actions?"), "{note}");
}
