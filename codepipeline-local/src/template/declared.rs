//! Brings declarations into the form of CodePipeline's API: its names of members, and its types of values.
//!
//! CloudFormation writes `RunOrder: "1"` where the API takes `"runOrder": 1`. The API's model says which members exist.

use serde_json::{Map, Value};

use super::place::Place;
use super::problem::Problem;
use super::resolve::text_of;
use crate::api::{Kind, MODEL, nearest};
use crate::yaml::Node;

/// How a file writes the names of members.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// As CloudFormation: `RunOrder`.
    Pascal,
    /// As the API: `runOrder`.
    Camel,
}

impl Naming {
    /// The API's name of a member.
    fn of_api(self, name: &str) -> String {
        let mut letters = name.chars();
        match (self, letters.next()) {
            (Self::Pascal, Some(first)) if first.is_ascii_uppercase() => {
                format!("{}{}", first.to_ascii_lowercase(), letters.as_str())
            }
            // Not a name of this form, so no member has it.
            (Self::Pascal, _) => String::new(),
            (Self::Camel, _) => name.to_owned(),
        }
    }

    /// The name that a file of this form has for a member of the API.
    fn of_file(self, name: &str) -> String {
        let mut letters = name.chars();
        match (self, letters.next()) {
            (Self::Pascal, Some(first)) => format!("{}{}", first.to_ascii_uppercase(), letters.as_str()),
            _ => name.to_owned(),
        }
    }
}

/// Reads declarations of one file.
pub(super) struct Reader<'a> {
    pub(super) naming: Naming,
    pub(super) root: &'a Node,
    /// Members that the API lacks. They are left out.
    pub(super) notes: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Converts a value to the API's shape of this name. A value of the wrong form stays unchanged, so that the API refuses it.
    pub(super) fn read(&mut self, value: Value, name: &str, place: &Place<'_>) -> Value {
        let shape = MODEL.shape(name);
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => {
                let mut read = Map::new();
                for (key, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
                    let inner = place.member(&key);
                    let of_api = self.naming.of_api(&key);
                    match shape.members.get(&of_api) {
                        Some(member) => drop(read.insert(of_api, self.read(value, member, &inner))),
                        None => {
                            let known: Vec<_> = shape.members.keys().map(|name| self.naming.of_file(name)).collect();
                            let hint = nearest(&key, known.iter().map(String::as_str))
                                .map_or_else(String::new, |known| format!("; did you mean {known}?"));
                            let message =
                                format!("is left out, because CodePipeline's {name} has no such member{hint}");
                            self.notes.push(Problem::at(&inner, self.root, message));
                        }
                    }
                }
                Value::Object(read)
            }
            (Kind::List, Value::Array(items)) => {
                let member = shape.member.as_deref().unwrap_or_default();
                let items = items.into_iter().enumerate();
                items.map(|(index, item)| self.read(item, member, &place.item(index))).collect()
            }
            (Kind::Map, Value::Object(entries)) => {
                let member = shape.value.as_deref().unwrap_or_default();
                let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
                Value::Object(
                    entries
                        .map(|(key, value)| {
                            let value = self.read(value, member, &place.member(&key));
                            (key, value)
                        })
                        .collect(),
                )
            }
            // Objects in a configuration become JSON, as the AWS CDK and SAM write them.
            (Kind::String, value) => Value::String(text_of(&value).unwrap_or_else(|| value.to_string())),
            (Kind::Integer, Value::String(text)) => text.trim().parse::<i64>().map_or(Value::String(text), Value::from),
            (Kind::Boolean, Value::String(text)) => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            },
            (_, value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml;

    fn read(naming: Naming, value: Value, shape: &str) -> (Value, Vec<String>) {
        let root = yaml::read_json("{}").unwrap();
        let mut notes = Vec::new();
        let read = Reader { naming, root: &root, notes: &mut notes }.read(value, shape, &Place::root("P"));
        (read, notes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_and_types_become_those_of_the_api() {
        let action = json!({
            "Name": "Build", "RunOrder": "2", "TimeoutInMinutes": 5, "Namespace": "Build",
            "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": 1},
            "Configuration": {"BatchEnabled": false, "Count": 7, "EnvironmentVariables": [{"name": "A"}], "Text": "x"},
            "OutputArtifacts": [{"Name": "Out", "Files": ["a"]}], "Commands": ["ls"], "OutputVariables": ["A"],
            "EnvironmentVariables": [{"Name": "A", "Value": 1, "Type": "PLAINTEXT"}],
        });
        let expected = json!({
            "name": "Build", "runOrder": 2, "timeoutInMinutes": 5, "namespace": "Build",
            "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
            "configuration": {"BatchEnabled": "false", "Count": "7", "EnvironmentVariables": "[{\"name\":\"A\"}]", "Text": "x"},
            "outputArtifacts": [{"name": "Out", "files": ["a"]}], "commands": ["ls"], "outputVariables": ["A"],
            "environmentVariables": [{"name": "A", "value": "1", "type": "PLAINTEXT"}],
        });
        assert_eq!(read(Naming::Pascal, action, "ActionDeclaration"), (expected, Vec::new()));
    }

    #[test]
    fn unknown_member_is_left_out_and_named() {
        let value = json!({"Name": "A", "name": "B", "RunOrdre": 1});
        let (read, notes) = read(Naming::Pascal, value, "ActionDeclaration");
        assert_eq!(read, json!({"name": "A"}));
        assert!(notes[0].starts_with("P.RunOrdre: ") && notes[0].ends_with("did you mean RunOrder?"), "{notes:?}");
        assert!(notes[1].starts_with("P.name: "), "{notes:?}");
    }

    #[test]
    fn names_of_the_api_stay() {
        let value = json!({"name": "A", "runOrder": 1, "region": null});
        assert_eq!(read(Naming::Camel, value, "ActionDeclaration"), (json!({"name": "A", "runOrder": 1}), Vec::new()));
    }

    #[test]
    fn wrong_form_stays_for_the_api_to_refuse() {
        let value = json!({"runOrder": "soon", "inputArtifacts": "Source"});
        assert_eq!(read(Naming::Camel, value.clone(), "ActionDeclaration").0, value);
    }
}
