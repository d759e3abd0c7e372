//! Physical names and ARNs that stand in for those of deployed resources. They depend on the template alone.

use sha2::{Digest as _, Sha256};

use super::{Absent, Resolved, Resolver};
use crate::template::place::Place;
use crate::yaml::Node;

/// How long a made-up name may be. Lambda takes 64 characters and S3 63.
const MAX_NAME: usize = 60;

/// Types whose `Ref` is the ARN.
const REF_IS_ARN: [&str; 12] = [
    "AWS::CloudFormation::Stack",
    "AWS::CodeConnections::Connection",
    "AWS::CodeStarConnections::Connection",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::StateMachine",
    "AWS::StepFunctions::StateMachine",
];

/// The form of ARNs after the partition, by type: `{r}` is the region, `{a}` the account, `{n}` the name. Other types have
/// `service:{r}:{a}:type/{n}`.
const ARNS: [(&str, &str); 14] = [
    ("AWS::CodeBuild::Project", "codebuild:{r}:{a}:project/{n}"),
    ("AWS::CodeCommit::Repository", "codecommit:{r}:{a}:{n}"),
    ("AWS::CodePipeline::Pipeline", "codepipeline:{r}:{a}:{n}"),
    ("AWS::IAM::ManagedPolicy", "iam::{a}:policy/{n}"),
    ("AWS::IAM::Role", "iam::{a}:role/{n}"),
    ("AWS::IAM::User", "iam::{a}:user/{n}"),
    ("AWS::Lambda::Function", "lambda:{r}:{a}:function:{n}"),
    ("AWS::Logs::LogGroup", "logs:{r}:{a}:log-group:{n}:*"),
    ("AWS::S3::Bucket", "s3:::{n}"),
    ("AWS::SNS::Topic", "sns:{r}:{a}:{n}"),
    ("AWS::SQS::Queue", "sqs:{r}:{a}:{n}"),
    ("AWS::Serverless::Function", "lambda:{r}:{a}:function:{n}"),
    ("AWS::Serverless::StateMachine", "states:{r}:{a}:stateMachine:{n}"),
    ("AWS::StepFunctions::StateMachine", "states:{r}:{a}:stateMachine:{n}"),
];

impl<'a> Resolver<'a> {
    /// Returns what `Ref` of the resource does. The template has the resource.
    pub(super) fn physical_reference(&mut self, id: &str, place: &Place<'_>) -> Resolved<String> {
        match self.kind(id) {
            kind if REF_IS_ARN.contains(&kind) => self.arn(id, place),
            "AWS::SQS::Queue" => self.queue_url(id, place),
            _ => self.name(id, place),
        }
    }

    /// The name of the resource: the one that its properties give it, or one from its logical id.
    pub(in crate::template) fn name(&mut self, id: &str, place: &Place<'_>) -> Resolved<String> {
        if let Some(name) = self.names.get(id) {
            let name = name.clone();
            self.charge(name.len(), place)?;
            return Ok(name);
        }
        let given = self.own_name(id);
        let name = match given {
            Some((property, node)) => {
                let resources = Place::root("Resources");
                let (resource, properties);
                resource = resources.member(id);
                properties = resource.member("Properties");
                let inner = properties.member(property);
                match self.once(format!("the name of {id}"), place, |resolver| resolver.text(node, &inner)) {
                    Err(Absent::NoValue) => self.made_up(id),
                    name => name?,
                }
            }
            None => self.made_up(id),
        };
        self.names.insert(id.to_owned(), name.clone());
        self.logical_ids.insert(name.clone(), id.to_owned());
        Ok(name)
    }

    /// The property that names the resource: `Name`, or the last part of its type with `Name`, such as `BucketName`.
    fn own_name(&self, id: &str) -> Option<(&'a str, &'a Node)> {
        let resource = self.template.resources.get(id)?;
        let thing = resource.kind.rsplit("::").next().unwrap_or_default();
        let entries = resource.properties?.entries();
        let named = entries.iter().find(|(key, _)| key == "Name" || key.strip_suffix("Name") == Some(thing));
        named.filter(|(_, node)| !node.is_null()).map(|(key, node)| (key.as_str(), node))
    }

    /// A name from the logical id. It gets a hash if it is too long, or if another id differs only in its case.
    fn made_up(&self, id: &str) -> String {
        let alike = self.template.resources.keys().filter(|other| other.eq_ignore_ascii_case(id)).count();
        let mut name = id.to_owned();
        if id.len() > MAX_NAME || alike > 1 {
            let hash = Sha256::digest(id.as_bytes());
            name = id.chars().take(MAX_NAME - 9).collect();
            name.push('-');
            name.extend(hash.iter().take(4).map(|byte| format!("{byte:02x}")));
        }
        if self.kind(id) == "AWS::S3::Bucket" {
            name.make_ascii_lowercase();
            if name.len() < 3 {
                name.insert_str(0, "bucket-");
            }
        }
        name
    }

    /// The ARN of the resource.
    pub(in crate::template) fn arn(&mut self, id: &str, place: &Place<'_>) -> Resolved<String> {
        let name = self.name(id, place)?;
        let kind = self.kind(id);
        let form = match ARNS.iter().find(|(known, _)| *known == kind) {
            Some((_, form)) => (*form).to_owned(),
            None => {
                let mut parts = kind.split("::").skip(1).map(str::to_lowercase);
                let (service, thing) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                format!("{service}:{{r}}:{{a}}:{thing}/{{n}}")
            }
        };
        let scope = self.scope();
        let rest = form.replace("{r}", &scope.region).replace("{a}", &scope.account).replace("{n}", &name);
        let arn = format!("arn:{}:{rest}", scope.partition);
        self.logical_ids.insert(arn.clone(), id.to_owned());
        Ok(arn)
    }

    pub(super) fn queue_url(&mut self, id: &str, place: &Place<'_>) -> Resolved<String> {
        let name = self.name(id, place)?;
        let scope = self.scope();
        Ok(format!("https://sqs.{}.{}/{}/{name}", scope.region, scope.suffix, scope.account))
    }

    pub(super) fn kind(&self, id: &str) -> &'a str {
        self.template.resources.get(id).map_or("", |resource| resource.kind)
    }
}
