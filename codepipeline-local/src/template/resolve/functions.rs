//! CloudFormation's functions on texts and lists.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{Resolved, Resolver, give, text_of};
use crate::template::place::Place;
use crate::yaml::{Content, Node};

/// The zones that stand in for those of a region.
const ZONES: [&str; 3] = ["a", "b", "c"];

impl<'a> Resolver<'a> {
    /// Evaluates the function. The place is the one of the value that it makes.
    pub(super) fn function(&mut self, name: &str, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let inner = place.member(name);
        match name {
            "Ref" => self.reference(argument, &inner),
            "Fn::GetAtt" => self.get_att(argument, &inner),
            "Fn::Sub" => self.sub(argument, &inner),
            "Fn::Join" => self.join(argument, &inner),
            "Fn::Select" => self.select(argument, &inner),
            "Fn::Split" => self.split(argument, &inner),
            "Fn::If" => self.choose(argument, &inner),
            "Fn::FindInMap" => self.find_in_map(argument, &inner),
            "Fn::ImportValue" => self.import(argument, &inner),
            "Fn::Base64" => {
                let text = self.text(argument, &inner)?;
                self.made(BASE64_STANDARD.encode(text), &inner)
            }
            "Fn::GetAZs" => {
                let region = self.text(argument, &inner)?;
                let region = if region.is_empty() { self.parameters.region.clone() } else { region };
                Ok(ZONES.iter().map(|zone| Value::String(format!("{region}{zone}"))).collect())
            }
            "Fn::ToJsonString" => {
                let value = self.evaluate(argument, &inner)?;
                self.made(value.to_string(), &inner)
            }
            _ => {
                let message = format!("{} is not evaluated; write its value into the template", name.escape_debug());
                self.unresolved(place, message)
            }
        }
    }

    fn join(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let [delimiter, parts] = argument.items() else {
            return self.unresolved(place, "must be a delimiter and a list: [\",\", [a, b]]");
        };
        let delimiter = self.text(delimiter, &place.item(0))?;
        let inner = place.item(1);
        let parts = self.texts(parts, &inner)?;
        let length = parts.iter().map(String::len).sum::<usize>() + delimiter.len() * parts.len();
        self.charge(length, place)?;
        Ok(Value::String(parts.join(&delimiter)))
    }

    /// Evaluates a list of texts.
    fn texts(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved<Vec<String>> {
        let value = self.evaluate(node, place)?;
        let texts = value.as_array().and_then(|items| items.iter().map(text_of).collect::<Option<Vec<_>>>());
        match texts {
            Some(texts) => Ok(texts),
            None => self.unresolved(place, "must be a list of texts"),
        }
    }

    fn select(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let [index, list] = argument.items() else {
            return self.unresolved(place, "must be an index and a list: [0, [a, b]]");
        };
        let inner = place.item(0);
        let Ok(index) = self.text(index, &inner)?.parse::<usize>() else {
            return self.unresolved(&inner, "must be an index, from 0");
        };
        let inner = place.item(1);
        let (length, value) = if let Content::List(items) = &list.content {
            (items.len(), items.get(index).map(|item| self.evaluate(item, &inner.item(index))))
        } else {
            let mut texts = self.texts(list, &inner)?;
            let text = (index < texts.len()).then(|| Ok(Value::String(std::mem::take(&mut texts[index]))));
            (texts.len(), text)
        };
        match value {
            Some(value) => value,
            None => self.unresolved(place, format!("selects item {index} of a list that has {length}")),
        }
    }

    fn split(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let [delimiter, text] = argument.items() else {
            return self.unresolved(place, "must be a delimiter and a text: [\",\", text]");
        };
        let delimiter = self.text(delimiter, &place.item(0))?;
        let text = self.text(text, &place.item(1))?;
        if delimiter.is_empty() {
            return self.unresolved(&place.item(0), "must be a delimiter of at least one character");
        }
        self.charge(text.len(), place)?;
        Ok(text.split(&delimiter).map(|part| Value::String(part.to_owned())).collect())
    }

    fn choose(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let [condition, yes, no] = argument.items() else {
            return self.unresolved(place, "must be a condition and two values: [Condition, a, b]");
        };
        let Some(name) = condition.text() else {
            return self.unresolved(&place.item(0), "must be the name of a condition");
        };
        let (node, index) = if self.condition(name, &place.item(0))? { (yes, 1) } else { (no, 2) };
        self.evaluate(node, &place.item(index))
    }

    fn find_in_map(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let (keys, default) = match argument.items() {
            [map, top, second] => ([map, top, second], None),
            [map, top, second, default] => ([map, top, second], default.get("DefaultValue")),
            _ => return self.unresolved(place, "must be a map and two keys: [Map, a, b]"),
        };
        let mut names = Vec::with_capacity(3);
        for (index, key) in keys.into_iter().enumerate() {
            names.push(self.text(key, &place.item(index))?);
        }
        let found = self.template.mappings.get(names[0].as_str()).copied();
        let found = found.and_then(|map| map.get(&names[1])).and_then(|map| map.get(&names[2]));
        match (found, default) {
            (Some(found), _) => {
                let mappings = Place::root("Mappings");
                let (map, top);
                map = mappings.member(&names[0]);
                top = map.member(&names[1]);
                self.evaluate(found, &top.member(&names[2]))
            }
            (None, Some(default)) => self.evaluate(default, &place.item(3).member("DefaultValue")),
            (None, None) => {
                let path: Vec<_> = names.iter().map(|name| name.escape_debug().to_string()).collect();
                self.unresolved(place, format!("Mappings has no {}; add it", path.join(".")))
            }
        }
    }

    fn import(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let name = self.text(argument, place)?;
        let known = self.given(&name).map(str::to_owned).or_else(|| self.imports.get(&name).cloned());
        match known {
            Some(value) => self.made(value, place),
            None => {
                let message = format!("imports \"{}\" of another stack; {}", name.escape_debug(), give(&name));
                self.unresolved(place, message)
            }
        }
    }
}
