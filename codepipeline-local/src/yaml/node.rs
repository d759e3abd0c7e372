//! A value of a document.

use serde_json::{Map, Number, Value};

/// A value with its tag and line.
#[derive(Clone)]
pub(crate) struct Node {
    /// The tag without its mark: `Ref` in `!Ref Name`.
    pub(crate) tag: Option<String>,
    /// The line where the value begins, from 1. In a map, the line of its key. JSON gives no lines.
    pub(crate) line: Option<usize>,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A text, number, truth value or null, in the characters of the file.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// It has no quotes, so it may be something else than a text.
    pub(crate) plain: bool,
}

impl Node {
    /// The value of this key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map, and nothing for any other value.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    /// The items of a list, and nothing for any other value.
    pub(crate) fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// The characters of a scalar that is not null: `1.10` stays `1.10`.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.is_null())
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }

    /// The value as JSON, without its tags.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(scalar) => scalar.to_value(),
            Content::List(items) => items.iter().map(Node::to_value).collect(),
            Content::Map(entries) => {
                Value::Object(entries.iter().map(|(key, node)| (key.clone(), node.to_value())).collect::<Map<_, _>>())
            }
        }
    }
}

impl Scalar {
    fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// A plain `true` is a truth value. A plain number is one if JSON writes it the same, so account ids and versions keep their
    /// zeros. Everything else is a text, also `yes` and `on`.
    pub(crate) fn to_value(&self) -> Value {
        if !self.plain {
            return Value::String(self.text.clone());
        }
        match self.text.as_str() {
            _ if self.is_null() => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            text => match serde_json::from_str::<Number>(text) {
                Ok(number) if number.to_string() == text => Value::Number(number),
                _ => Value::String(text.to_owned()),
            },
        }
    }
}
