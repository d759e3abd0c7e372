//! Messages about files that are wrong.

use super::*;

/// The problem of the configuration value, without its place.
fn problem(configuration: &str, sections: &str) -> String {
    let problem = only_problem(configured(configuration, sections, &[]));
    let (_, message) =
        problem.split_once(": Resources.Pipeline.Properties.Stages[0].Actions[0].Configuration.Value").unwrap();
    message.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn unknown_names_are_told_with_a_suggestion() {
    for (configuration, expected) in [
        ("!Ref Stor", "Stor is no parameter and no resource of this template; did you mean Store?"),
        ("!GetAtt Rol.Arn", "Rol is no resource of this template; did you mean Role?"),
        ("!Sub '${Stor}'", "Stor is no parameter and no resource of this template; did you mean Store?"),
        ("!If [Prod, a, b]", "Prod is no condition of this template"),
        ("!FindInMap [M, a, b]", "Mappings has no M.a.b; add it"),
        ("{'Fn::Cidr': [a, 1]}", "Fn::Cidr is not evaluated; write its value into the template"),
    ] {
        assert_eq!(problem(configuration, ""), expected, "{configuration}");
    }
}

#[test]
fn missing_values_are_told_with_what_to_type() {
    let sections = "
  Custom: {Type: 'Custom::Thing'}
  Stack: {Type: AWS::CloudFormation::Stack}
Parameters:
  Needed: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /web/token}
";
    for (configuration, flag) in [
        ("!Ref Needed", "--parameter Needed=VALUE"),
        ("!Ref Stored", "--parameter Stored=VALUE"),
        ("!ImportValue 'net vpc'", "--parameter 'net vpc=VALUE'"),
        ("!GetAtt Custom.Arn", "--parameter Custom.Arn=VALUE"),
        ("!GetAtt Stack.Outputs.Url", "--parameter Stack.Outputs.Url=VALUE"),
        (
            "'{{resolve:secretsmanager:web:SecretString:token}}'",
            "--parameter resolve:secretsmanager:web:SecretString:token=VALUE",
        ),
    ] {
        let message = problem(configuration, sections);
        assert!(message.ends_with(flag), "{configuration}: {message}");
    }
}

#[test]
fn wrong_arguments_are_told_with_their_form() {
    for (configuration, named) in [
        ("!Ref [a]", "name of a parameter"),
        ("!Join ['', x, y]", "a delimiter and a list"),
        ("!Join ['', x]", "must be a list of texts"),
        ("!Join ['', [[x]]]", "must be a list of texts"),
        ("!Select [x, [a]]", "must be an index"),
        ("!Select [1, [a]]", "selects item 1 of a list that has 1"),
        ("!Split ['', a]", "at least one character"),
        ("!Sub [a, b, c]", "a text and a map of variables"),
        ("!GetAtt Role", "such as Role.Arn"),
        ("!If [A, b]", "a condition and two values"),
        ("!FindInMap [A, b]", "a map and two keys"),
    ] {
        let message = problem(configuration, "");
        assert!(message.contains(named), "{configuration}: {message}");
    }
}

#[test]
fn wrong_arguments_of_conditions_are_told_with_their_form() {
    for (condition, expected) in [
        ("!Equals [x]", "Fn::Equals: takes two values: [a, b]"),
        ("!Equals [x, y, z]", "Fn::Equals: takes two values: [a, b]"),
        ("!Equals x", "Fn::Equals: takes two values: [a, b]"),
        ("!Equals [x, !Ref AWS::NoValue]", "Fn::Equals: takes two values, and AWS::NoValue leaves one out"),
        ("!Not [!Condition B, !Condition B]", "Fn::Not: takes a list of one condition: [{Condition: A}]"),
        ("!Not {Condition: B}", "Fn::Not: takes a list of one condition: [{Condition: A}]"),
        ("!And []", "Fn::And: takes a list of conditions: [{Condition: A}, {Condition: B}]"),
        ("!Or {Condition: B}", "Fn::Or: takes a list of conditions: [{Condition: A}, {Condition: B}]"),
        ("!Condition [B]", "Condition: must be the name of a condition"),
        ("yes", "must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition"),
        ("!Ref B", "must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition"),
    ] {
        let sections = format!("Conditions:\n  A: {condition}\n  B: !Equals [x, y]\n");
        let problem = only_problem(configured("!If [A, a, b]", &sections, &[]));
        let (_, message) = problem.split_once(": Conditions.A").unwrap();
        assert_eq!(message.trim_start_matches(['.', ':', ' ']), expected, "{condition}");
    }
}

#[test]
fn all_problems_are_told_together_with_lines() {
    let text = with_configuration("!Ref First\n                Other: [!Ref Second, !Sub '${Third}']", "");
    let problems = load_yaml(&text, &["Typo=x"]).err().unwrap();
    let place = "Resources.Pipeline.Properties.Stages[0].Actions[0].Configuration";
    let expected = [
        format!("template.yaml:14: {place}.Value.Ref: First is no parameter"),
        format!("template.yaml:15: {place}.Other[0].Ref: Second is no parameter"),
        format!("template.yaml:15: {place}.Other[1].Fn::Sub: Third is no parameter"),
        "template.yaml: --parameter Typo: the pipeline needs no value of this name".to_owned(),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(&expected), "{problem}");
    }
}

#[test]
fn circles_are_told() {
    let sections = "
  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${B}-a'}}
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${A}-b'}}
Conditions:
  C: !Not [!Condition D]
  D: !Not [!Condition C]
";
    let names = only_problem(configured("!Ref A", sections, &[]));
    assert!(names.contains("depends on itself: the name of A, the name of B, and again the name of A"), "{names}");
    let conditions = only_problem(configured("!If [C, a, b]", sections, &[]));
    assert!(conditions.contains("depends on itself: condition C, condition D, and again condition C"), "{conditions}");
}

#[test]
fn misspelt_parameter_gets_a_suggestion() {
    let sections = "Parameters:\n  Branch: {Type: String, Default: main}\n";
    let problem = only_problem(configured("!Ref Branch", sections, &["Brnch=MARKER"]));
    assert!(problem.contains("--parameter Brnch: ") && problem.ends_with("did you mean Branch?"), "{problem}");
    assert!(!problem.contains("MARKER"));
}

#[test]
fn file_without_a_pipeline_is_told() {
    for (text, named) in [
        ("Resources: {B: {Type: AWS::S3::Bucket}}", "no resource of type AWS::CodePipeline::Pipeline"),
        ("a: 1", "holds no pipeline"),
        ("[]", "holds no pipeline"),
        ("Resources: []", "must be a map"),
        ("Resources: {B: {}}", "has no Type"),
        ("Resources: {B: !Odd x}", "CloudFormation has no tag !Odd"),
    ] {
        let problem = only_problem(load_yaml(text, &[]));
        assert!(problem.starts_with("template.yaml") && problem.contains(named), "{text}: {problem}");
    }
}

#[test]
fn problem_of_the_pipeline_is_none_of_other_resources() {
    let sections = "
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: !ImportValue unknown, X: !Ref Missing}}
  Project: {Type: AWS::CodeBuild::Project, Properties: {Name: other, Source: {BuildSpec: !ImportValue unknown}}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !ImportValue unknown}}
  Function: {Type: AWS::Lambda::Function, Properties: {Handler: !ImportValue unknown}}
Outputs:
  X: {Value: !GetAtt Missing.Arn}
";
    let project = load_yaml(&with_configuration("x", sections), &[]).unwrap();
    assert!(project.notes.is_empty(), "{:?}", project.notes);
    assert_eq!(project.buckets.keys().collect::<Vec<_>>(), ["store"]);
    assert!(project.functions["Function"].handler.is_none());
    assert!(project.code_build.is_empty());
}
