//! `Ref`: parameters, pseudo parameters and resources.

use serde_json::Value;

use super::pseudo::PSEUDO;
use super::{Absent, Resolved, Resolver, give, text_of};
use crate::api::nearest;
use crate::template::parameters::flag;
use crate::template::place::Place;
use crate::yaml::Node;

impl<'a> Resolver<'a> {
    pub(super) fn reference(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        match argument.text() {
            Some(name) => self.referenced(name, place),
            None => self.unresolved(place, "must be the name of a parameter or resource"),
        }
    }

    /// The text of a name in `Fn::Sub`.
    pub(super) fn named(&mut self, name: &str, place: &Place<'_>) -> Resolved<String> {
        let value = match name.split_once('.') {
            Some((id, attribute)) => self.attribute(id, attribute, place)?,
            None => self.referenced(name, place)?,
        };
        match text_of(&value) {
            Some(text) => Ok(text),
            None => self.unresolved(place, format!("{} is a list and can't be a part of a text", name.escape_debug())),
        }
    }

    fn referenced(&mut self, name: &str, place: &Place<'_>) -> Resolved {
        if name == "AWS::NoValue" {
            return Err(Absent::NoValue);
        }
        if let Some(pseudo) = self.pseudo(name) {
            return Ok(Value::String(pseudo));
        }
        if name == "AWS::NotificationARNs" {
            return Ok(Value::Array(Vec::new()));
        }
        if let Some(declared) = self.template.parameters.get(name).copied() {
            return self.parameter(name, declared, place);
        }
        // `Function.Alias` and `Function.Version` of SAM.
        let id = name.strip_suffix(".Alias").or_else(|| name.strip_suffix(".Version")).unwrap_or(name);
        if self.template.resources.contains_key(id) {
            let value = self.physical_reference(id, place)?;
            return self.made(value, place);
        }
        let hint = self.hint(name);
        let message = format!("{} is no parameter and no resource of this template{hint}", name.escape_debug());
        self.unresolved(place, message)
    }

    /// A question after a name that the template lacks.
    pub(super) fn hint(&self, name: &str) -> String {
        let resources = self.template.resources.keys().map(String::as_str);
        let known = self.template.parameters.keys().copied().chain(resources).chain(PSEUDO);
        nearest(name, known).map_or_else(String::new, |known| format!("; did you mean {known}?"))
    }

    /// The value of a pseudo parameter that is a text.
    pub(super) fn pseudo(&mut self, name: &str) -> Option<String> {
        if !PSEUDO.contains(&name) {
            return None;
        }
        if let Some(given) = self.given(name) {
            return Some(given.to_owned());
        }
        Some(match name {
            "AWS::AccountId" => self.parameters.account_id.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::Region" => self.parameters.region.clone(),
            "AWS::StackName" => self.template.stack.clone(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => {
                let place = self.scope();
                format!(
                    "arn:{}:cloudformation:{}:{}:stack/{}/0",
                    place.partition, place.region, place.account, place.stack
                )
            }
        })
    }

    /// The parts of ARNs and addresses.
    pub(super) fn scope(&mut self) -> Scope {
        let mut pseudo = |name| self.pseudo(name).unwrap_or_default();
        Scope {
            partition: pseudo("AWS::Partition"),
            region: pseudo("AWS::Region"),
            account: pseudo("AWS::AccountId"),
            stack: pseudo("AWS::StackName"),
            suffix: pseudo("AWS::URLSuffix"),
        }
    }

    fn parameter(&mut self, name: &str, declared: &'a Node, place: &Place<'_>) -> Resolved {
        let kind = declared.get("Type").and_then(Node::text).unwrap_or("String");
        let given = self.given(name);
        let value = match given {
            Some(given) => given.to_owned(),
            None if kind.starts_with("AWS::SSM::Parameter::") => {
                let message =
                    format!("the parameter {name} comes from the parameter store of AWS; type {}", flag(name));
                return self.unresolved(place, message);
            }
            None => match declared.get("Default").filter(|default| !default.is_null()) {
                Some(default) => default.text().unwrap_or_default().to_owned(),
                None => {
                    let message = format!("the parameter {} has no default; {}", name.escape_debug(), give(name));
                    return self.unresolved(place, message);
                }
            },
        };
        self.charge(value.len(), place)?;
        if kind == "CommaDelimitedList" || kind.contains("List<") {
            return Ok(value.split(',').map(|item| Value::String(item.trim().to_owned())).collect());
        }
        Ok(Value::String(value))
    }
}

/// The parts of ARNs and addresses.
pub(super) struct Scope {
    pub(super) partition: String,
    pub(super) region: String,
    pub(super) account: String,
    pub(super) stack: String,
    pub(super) suffix: String,
}
