//! `Fn::GetAtt`

use serde_json::Value;

use super::{Resolved, Resolver, give};
use crate::template::place::Place;
use crate::yaml::Node;

impl<'a> Resolver<'a> {
    /// Reads `LogicalId.Attribute`, or a list of both.
    pub(super) fn get_att(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let parts = match argument.items() {
            [id, attribute] => id.text().map(|id| (id, attribute, place.item(1))),
            _ => argument.text().and_then(|text| text.split_once('.')).map(|(id, _)| (id, argument, *place)),
        };
        let Some((id, attribute, inner)) = parts else {
            return self.unresolved(place, "must be a resource and its attribute, such as Role.Arn");
        };
        let attribute = match attribute.text() {
            Some(text) if std::ptr::eq(attribute, argument) => text[id.len() + 1..].to_owned(),
            _ => self.text(attribute, &inner)?,
        };
        self.attribute(id, &attribute, place)
    }

    /// The attribute of a resource, as far as it follows from the template. The user may give any.
    pub(super) fn attribute(&mut self, id: &str, attribute: &str, place: &Place<'_>) -> Resolved {
        let key = format!("{id}.{attribute}");
        if let Some(given) = self.given(&key) {
            return self.made(given.to_owned(), place);
        }
        if !self.template.resources.contains_key(id) {
            let hint = self.hint(id);
            return self.unresolved(place, format!("{} is no resource of this template{hint}", id.escape_debug()));
        }
        let kind = self.kind(id);
        let thing = kind.rsplit("::").next().unwrap_or_default();
        let text = match (kind, attribute) {
            // Only the code behind a custom resource knows its attributes.
            _ if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" => {
                return self.unknown_attribute(&key, kind, place);
            }
            ("AWS::SSM::Parameter", "Value") => return self.parameter_value(id, &key, place),
            ("AWS::CodePipeline::Pipeline", "Version") => "1".to_owned(),
            ("AWS::SQS::Queue", "QueueUrl") => self.queue_url(id, place)?,
            (_, "Name" | "KeyId" | "RoleName") => self.name(id, place)?,
            (_, "Arn") => self.arn(id, place)?,
            (_, other) if other.strip_suffix("Arn") == Some(thing) => self.arn(id, place)?,
            (_, other) if other.strip_suffix("Name") == Some(thing) => self.name(id, place)?,
            _ => match self.address(id, attribute, place)? {
                Some(address) => address,
                None => return self.unknown_attribute(&key, kind, place),
            },
        };
        self.made(text, place)
    }

    /// The attributes that are addresses.
    fn address(&mut self, id: &str, attribute: &str, place: &Place<'_>) -> Resolved<Option<String>> {
        let kind = self.kind(id);
        let known = ["AWS::S3::Bucket", "AWS::CodeCommit::Repository", "AWS::ECR::Repository"];
        if !known.contains(&kind) {
            return Ok(None);
        }
        let name = self.name(id, place)?;
        let scope = self.scope();
        let (region, suffix, account) = (scope.region, scope.suffix, scope.account);
        Ok(match (kind, attribute) {
            ("AWS::S3::Bucket", "DomainName") => Some(format!("{name}.s3.{suffix}")),
            ("AWS::S3::Bucket", "RegionalDomainName") => Some(format!("{name}.s3.{region}.{suffix}")),
            ("AWS::S3::Bucket", "WebsiteURL") => Some(format!("http://{name}.s3-website-{region}.{suffix}")),
            ("AWS::CodeCommit::Repository", "CloneUrlHttp") => {
                Some(format!("https://git-codecommit.{region}.{suffix}/v1/repos/{name}"))
            }
            ("AWS::CodeCommit::Repository", "CloneUrlSsh") => {
                Some(format!("ssh://git-codecommit.{region}.{suffix}/v1/repos/{name}"))
            }
            ("AWS::ECR::Repository", "RepositoryUri") => Some(format!("{account}.dkr.ecr.{region}.{suffix}/{name}")),
            _ => None,
        })
    }

    fn parameter_value(&mut self, id: &str, key: &str, place: &Place<'_>) -> Resolved {
        let value = self.template.resources.get(id).and_then(|resource| resource.properties?.get("Value"));
        let Some(value) = value else { return self.unknown_attribute(key, "AWS::SSM::Parameter", place) };
        let resources = Place::root("Resources");
        let (resource, properties);
        resource = resources.member(id);
        properties = resource.member("Properties");
        let inner = properties.member("Value");
        let text = self.once(format!("the value of {id}"), place, |resolver| resolver.text(value, &inner))?;
        Ok(Value::String(text))
    }

    fn unknown_attribute<T>(&mut self, key: &str, kind: &str, place: &Place<'_>) -> Resolved<T> {
        let (key_shown, kind) = (key.escape_debug(), kind.escape_debug());
        self.unresolved(place, format!("only AWS knows {key_shown} of this {kind}; {}", give(key)))
    }
}
