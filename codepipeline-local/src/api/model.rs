//! The API's names and constraints as data: `model.json`, which `model.py` generates from botocore. It has all operations and shapes. The
//! table of handlers decides which operations are emulated.

use std::{collections::BTreeMap, sync::LazyLock};

use regex_lite::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Model {
    pub(super) target_prefix: String,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
pub(super) struct Operation {
    pub(super) input: String,
    #[cfg(test)]
    pub(super) output: Option<String>,
    #[cfg(test)]
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// A structure's members and their shapes.
    #[serde(default)]
    pub(crate) members: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    /// The shape of a list's members.
    pub(crate) member: Option<String>,
    /// The shapes of a map's keys and values.
    pub(super) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
    pub(super) pattern: Option<Pattern>,
    #[serde(default, rename = "enum")]
    pub(super) values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Boolean,
    Timestamp,
}

/// A pattern that the whole value must match.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) whole: Regex,
}

impl TryFrom<String> for Pattern {
    type Error = regex_lite::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self { whole: Regex::new(&format!("^(?:{text})$"))?, text })
    }
}

pub(crate) static MODEL: LazyLock<Model> = LazyLock::new(|| {
    serde_json::from_str(include_str!("model.json")).expect("model.json is part of the program, and a test reads it")
});

impl Model {
    /// Returns the shape of this name. Names come from the model, and a test looks up each of them.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        &self.shapes[name]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_shape_exists() {
        for operation in MODEL.operations.values() {
            MODEL.shape(&operation.input);
            operation.output.as_ref().map(|output| MODEL.shape(output));
        }
        for shape in MODEL.shapes.values() {
            for name in shape.members.values().chain(&shape.member).chain(&shape.key).chain(&shape.value) {
                MODEL.shape(name);
            }
            assert_eq!(shape.kind == Kind::List, shape.member.is_some());
            assert_eq!(shape.kind == Kind::Map, shape.key.is_some() && shape.value.is_some());
        }
    }
}
