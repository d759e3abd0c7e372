//! Functions, parameters and conditions.

use serde_json::json;

use super::*;

const SECTIONS: &str = "
  Function: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Sub '${AWS::StackName}-fn'}}
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
  Repository: {Type: AWS::CodeCommit::Repository, Properties: {RepositoryName: web}}
  Setting: {Type: AWS::SSM::Parameter, Properties: {Value: !Ref Stage}}
  Key: {Type: AWS::KMS::Key}
  Machine: {Type: AWS::StepFunctions::StateMachine, Properties: {StateMachineName: deploy}}
Parameters:
  Stage: {Type: String, Default: beta, AllowedValues: [beta, prod]}
  Names: {Type: CommaDelimitedList, Default: 'a, b,c'}
  Account: {Type: String, Default: 012345678901}
  Needed: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /web/token}
Mappings:
  Sizes: {beta: {cpu: 1, zones: [x, y]}, prod: {cpu: 8}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsBeta: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Condition IsBeta]
  Either: !Or [!Condition IsProd, !Condition IsBeta]
";

fn text(configuration: &str) -> String {
    configured(configuration, SECTIONS, &[]).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn references_have_the_values_of_parameters() {
    for (configuration, expected) in [
        ("!Ref Stage", "beta"),
        ("!Ref Account", "012345678901"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "123456789012"),
        ("!Ref AWS::Partition", "aws"),
        ("!Ref AWS::StackName", "template"),
        ("!Ref AWS::URLSuffix", "amazonaws.com"),
        ("{Ref: Stage}", "beta"),
        ("!Join ['+', !Ref Names]", "a+b+c"),
    ] {
        assert_eq!(text(configuration), expected, "{configuration}");
    }
}

#[test]
fn functions_are_evaluated() {
    for (configuration, expected) in [
        (
            "!Sub '${Stage}-${AWS::Region} ${!Stage} ${Function.Arn} $X ${'",
            "beta-us-east-1 ${Stage} arn:aws:lambda:us-east-1:123456789012:function:template-fn $X ${",
        ),
        ("!Sub ['${A}${Stage}', {A: !Ref Stage}]", "betabeta"),
        ("{'Fn::Sub': 'arn:${AWS::Partition}:s3:::${Store}/*'}", "arn:aws:s3:::store/*"),
        ("!Join ['', [a, 1, !Ref Stage, !Ref AWS::NoValue]]", "a1beta"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['2', !Split ['/', 'x/y/z']]", "z"),
        ("!Select [0, [!Ref Stage, !Ref Needed]]", "beta"),
        ("!Select [0, !GetAZs '']", "us-east-1a"),
        ("!FindInMap [Sizes, !Ref Stage, cpu]", "1"),
        ("!Join ['', !FindInMap [Sizes, beta, zones]]", "xy"),
        ("!FindInMap [Sizes, other, cpu, {DefaultValue: 3}]", "3"),
        ("!Base64 abc", "YWJj"),
        ("!If [IsProd, !Ref Needed, !Sub '${Stage}!']", "beta!"),
        ("!If [Either, !If [Both, 1, 2], 3]", "2"),
        ("{'Fn::ToJsonString': {a: !Ref Stage}}", "{\"a\":\"beta\"}"),
    ] {
        assert_eq!(text(configuration), expected, "{configuration}");
    }
}

#[test]
fn attributes_follow_from_the_template() {
    for (configuration, expected) in [
        ("!GetAtt Role.Arn", "arn:aws:iam::123456789012:role/Role"),
        ("!GetAtt [Function, Arn]", "arn:aws:lambda:us-east-1:123456789012:function:template-fn"),
        ("!Ref Function", "template-fn"),
        ("!Ref Topic", "arn:aws:sns:us-east-1:123456789012:Topic"),
        ("!GetAtt Topic.TopicName", "Topic"),
        ("!Ref Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/Queue"),
        ("!GetAtt Repository.CloneUrlHttp", "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/web"),
        ("!GetAtt Repository.Name", "web"),
        ("!GetAtt Setting.Value", "beta"),
        ("!GetAtt Key.Arn", "arn:aws:kms:us-east-1:123456789012:key/Key"),
        ("!Ref Machine", "arn:aws:states:us-east-1:123456789012:stateMachine:deploy"),
        ("!Ref Store", "store"),
        ("!GetAtt Store.RegionalDomainName", "store.s3.us-east-1.amazonaws.com"),
    ] {
        assert_eq!(text(configuration), expected, "{configuration}");
    }
}

#[test]
fn given_values_win() {
    for (configuration, given, expected) in [
        ("!Ref Stage", "Stage=prod", "prod"),
        ("!Ref Needed", "Needed=x=y", "x=y"),
        ("!Ref Stored", "Stored=secret", "secret"),
        ("!If [IsProd, p, b]", "Stage=prod", "p"),
        ("!Ref AWS::Region", "AWS::Region=eu-west-1", "eu-west-1"),
        ("!ImportValue net-vpc", "net-vpc=vpc-1", "vpc-1"),
        ("!ImportValue {'Fn::Sub': '${Stage}:Vpc'}", "beta:Vpc=vpc-2", "vpc-2"),
        ("!GetAtt Key.Odd", "Key.Odd=it", "it"),
        ("!Join ['', !Ref Names]", "Names=x,y", "xy"),
        ("'a {{resolve:ssm:/web:1}} b'", "resolve:ssm:/web:1=V", "a V b"),
    ] {
        let value = configured(configuration, SECTIONS, &[given]).unwrap();
        assert_eq!(value, json!(expected), "{configuration}");
    }
}

#[test]
fn no_value_leaves_the_member_out() {
    assert_eq!(configured("!Ref AWS::NoValue", SECTIONS, &[]).unwrap(), Value::Null);
    assert_eq!(configured("!If [IsProd, x, !Ref AWS::NoValue]", SECTIONS, &[]).unwrap(), Value::Null);
}

#[test]
fn braces_of_other_languages_stay() {
    for kept in ["#{SourceVariables.CommitId}", "{{ x }}", "{{resolve", "$(pwd)"] {
        assert_eq!(text(&format!("'{kept}'")), kept);
    }
}

#[test]
fn names_differ_where_logical_ids_differ() {
    let sections = "  STORE: {Type: AWS::S3::Bucket}\n  AB: {Type: AWS::S3::Bucket}\n";
    let name = |id: &str| configured(&format!("!Ref {id}"), sections, &[]).unwrap().as_str().unwrap().to_owned();
    let (first, second) = (name("Store"), name("STORE"));
    assert_ne!(first, second);
    assert!(first.starts_with("store-") && second.starts_with("store-"), "{first} {second}");
    assert_eq!(name("AB"), "bucket-ab");
    assert_eq!(first, name("Store"));
}

#[test]
fn names_lead_back_to_logical_ids() {
    let text = with_configuration("!Sub '${Function} ${Function.Arn}'", SECTIONS);
    let project = load_yaml(&text, &[]).unwrap();
    for name in ["template-fn", "arn:aws:lambda:us-east-1:123456789012:function:template-fn"] {
        assert_eq!(project.logical_ids[name], "Function");
    }
}
