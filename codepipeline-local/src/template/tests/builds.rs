//! CodeBuild projects and functions.

use super::super::project::Buildspec;
use super::*;

fn pipeline_with(sections: &str) -> String {
    format!(
        "\
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/any
      Stages:
        - Name: Build
          Actions:
            - Name: Build
              ActionTypeId: {{Category: Build, Owner: AWS, Provider: CodeBuild, Version: '1'}}
              Configuration: {{ProjectName: !Ref Project}}
{sections}"
    )
}

const PROJECT: &str = "  Project:
    Type: AWS::CodeBuild::Project
    Properties:
      ServiceRole: !ImportValue role
      Source:
        Type: CODEPIPELINE
        SourceIdentifier: main
        BuildSpec: !Sub |
          version: 0.2
          phases: {build: {commands: ['echo ${AWS::Region}']}}
      Environment:
        Image: aws/codebuild/standard:7.0
        EnvironmentVariables:
          - {Name: PLAIN, Value: 7}
          - {Name: STORED, Type: PARAMETER_STORE, Value: /web/token}
          - !Ref AWS::NoValue
      TimeoutInMinutes: 15
      QueuedTimeoutInMinutes: '20'
";

#[test]
fn build_project_has_what_a_build_needs() {
    let project = load_yaml(&pipeline_with(PROJECT), &[]).unwrap();
    let build = &project.code_build["Project"];
    assert_eq!(build.logical_id, "Project");
    let spec = "version: 0.2\nphases: {build: {commands: ['echo us-east-1']}}\n";
    assert_eq!(build.buildspec, Buildspec::Inline(spec.to_owned()));
    let variables: Vec<_> = build.environment.iter().map(|it| (&*it.name, &*it.value, &*it.kind)).collect();
    assert_eq!(variables, [("PLAIN", "7", "PLAINTEXT"), ("STORED", "/web/token", "PARAMETER_STORE")]);
    assert_eq!(build.image.as_deref(), Some("aws/codebuild/standard:7.0"));
    assert_eq!(build.source_type.as_deref(), Some("CODEPIPELINE"));
    assert_eq!(build.source_identifier.as_deref(), Some("main"));
    assert_eq!((build.timeout_in_minutes, build.queued_timeout_in_minutes), (Some(15), Some(20)));
}

#[test]
fn build_project_may_say_almost_nothing() {
    let project = load_yaml(&pipeline_with("  Project: {Type: AWS::CodeBuild::Project}\n"), &[]).unwrap();
    let build = &project.code_build["Project"];
    assert_eq!(build.buildspec, Buildspec::Default);
    assert!(build.environment.is_empty() && build.image.is_none() && build.timeout_in_minutes.is_none());
}

#[test]
fn unresolved_value_of_a_build_is_a_problem() {
    for (from, to, named) in [
        ("Value: 7", "Value: !ImportValue x", "--parameter x=VALUE"),
        ("TimeoutInMinutes: 15", "TimeoutInMinutes: soon", "must be a number of minutes"),
        ("Name: PLAIN, ", "", "must have Name and Value"),
    ] {
        let problem = only_problem(load_yaml(&pipeline_with(&PROJECT.replace(from, to)), &[]));
        assert!(problem.contains("Resources.Project.Properties.") && problem.contains(named), "{problem}");
    }
}

#[test]
fn buildspec_of_a_dynamic_reference_is_a_problem() {
    let text = PROJECT.replace("echo ${AWS::Region}", "{{resolve:ssm:/a}}");
    let problem = only_problem(load_yaml(&pipeline_with(&text), &[]));
    assert!(problem.ends_with("only AWS knows {{resolve:ssm:/a}}; type --parameter resolve:ssm:/a=VALUE"), "{problem}");
}

#[test]
fn sam_functions_take_what_globals_say() {
    let sections = format!(
        "{PROJECT}
  Own:
    Type: AWS::Serverless::Function
    Properties: {{Handler: own.handler, CodeUri: ./own, Role: !GetAtt HelloRole.Arn}}
  Hello:
    Type: AWS::Serverless::Function
    Properties: {{FunctionName: hello-world, Handler: app.handler}}
  Far:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: 's3://bucket/key'}}
Globals:
  Function: {{Runtime: python3.13, CodeUri: src/}}
"
    );
    let project = load_yaml(&pipeline_with(&sections), &[]).unwrap();
    let folder = project.file.parent().unwrap();
    let own = &project.functions["Own"];
    assert_eq!((own.handler.as_deref(), own.runtime.as_deref()), (Some("own.handler"), Some("python3.13")));
    assert_eq!(own.code.as_deref(), Some(&*folder.join("./own")));
    let hello = &project.functions["hello-world"];
    assert_eq!((hello.logical_id.as_str(), hello.code.as_deref()), ("Hello", Some(&*folder.join("src/"))));
    assert!(project.functions["Far"].code.is_none());
}

#[test]
fn function_has_variables_of_globals_and_its_own() {
    let sections = "  Project: {Type: AWS::CodeBuild::Project}
  Table: {Type: AWS::DynamoDB::Table}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 7
      Environment:
        Variables:
          TABLE: !Ref Table
          LEVEL: 3
          GONE: !Ref AWS::NoValue
          TOKEN: '{{resolve:secretsmanager:web/token}}'
          GIVEN: '{{resolve:ssm:/given}}'
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Environment: {Variables: {LIST: [a]}}, MemorySize: '512'}
  Chosen:
    Type: AWS::Lambda::Function
    Properties: {Environment: !If [Never, !Ref AWS::NoValue, {Variables: !If [Never, {}, {A: b}]}]}
Conditions: {Never: !Equals [a, b]}
Globals:
  Function:
    MemorySize: 256
    Environment: {Variables: {LEVEL: 1, GONE: 1, HOST: !ImportValue host}}
";
    let project = load_yaml(&pipeline_with(sections), &["resolve:ssm:/given=x"]).unwrap();
    let variables = |name: &str| {
        let environment = project.functions[name].environment.iter();
        environment.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    let known = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let unknown = |name: &str| (name.to_owned(), None);
    assert_eq!(
        variables("Hello"),
        [known("GIVEN", "x"), unknown("HOST"), known("LEVEL", "3"), known("TABLE", "Table"), unknown("TOKEN")]
    );
    assert_eq!((variables("Plain"), variables("Chosen")), (vec![unknown("LIST")], vec![known("A", "b")]));
    let limits = |name: &str| (project.functions[name].timeout, project.functions[name].memory);
    assert_eq!((limits("Hello"), limits("Plain")), ((Some(7), Some(256)), (None, Some(512))));
}
