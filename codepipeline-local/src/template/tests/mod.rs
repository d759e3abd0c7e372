//! Templates as files, read whole.

use std::fs;

use serde_json::Value;

use super::*;

mod builds;
mod cdk;
mod constraints;
mod errors;
mod hostile;
mod pipelines;
mod values;

/// Writes the files into a folder and reads the first one.
fn load_files(files: &[(&str, &str)], given: &[&str]) -> Result<Project, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let parameters: Parameters = given.iter().map(|text| text.parse().unwrap()).collect();
    let shown = format!("{}/", folder.path().display());
    let opened = Opened::open(Some(&folder.path().join(files[0].0)));
    opened
        .and_then(|opened| opened.project(&parameters))
        .map_err(|problems| problems.iter().map(|problem| problem.to_string().replace(&shown, "")).collect())
}

fn load_yaml(text: &str, given: &[&str]) -> Result<Project, Vec<String>> {
    load_files(&[("template.yaml", text)], given)
}

/// A template whose pipeline has one action with this configuration, after other sections.
fn with_configuration(configuration: &str, sections: &str) -> String {
    format!(
        "\
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: web
      RoleArn: !GetAtt Role.Arn
      ArtifactStore: {{Type: S3, Location: !Ref Store}}
      Stages:
        - Name: Build
          Actions:
            - Name: Action
              ActionTypeId: {{Category: Test, Owner: Custom, Provider: Shell, Version: '1'}}
              Configuration:
                Value: {configuration}
  Role:
    Type: AWS::IAM::Role
  Store:
    Type: AWS::S3::Bucket
{sections}"
    )
}

/// The configuration value of such a pipeline, as the API gets it.
fn configured(configuration: &str, sections: &str, given: &[&str]) -> Result<Value, Vec<String>> {
    let project = load_yaml(&with_configuration(configuration, sections), given)?;
    Ok(project.pipelines[0].declaration["stages"][0]["actions"][0]["configuration"]["Value"].clone())
}

/// The message of the only problem.
fn only_problem(result: Result<impl Sized, Vec<String>>) -> String {
    let problems = result.err().unwrap();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].clone()
}
