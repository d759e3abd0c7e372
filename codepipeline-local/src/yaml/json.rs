//! Makes the tree of a JSON text.

use serde_json::Value;

use super::node::{Content, Node, Scalar};
use super::unreadable::Unreadable;

pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    let not_json = |error: &serde_json::Error| {
        let why = if error.is_eof() {
            "is not valid JSON: it ends too early".to_owned()
        } else {
            format!("is not valid JSON, at column {}", error.column())
        };
        Unreadable { line: Some(error.line()), why }
    };
    serde_json::from_str(text).map(node).map_err(|error| not_json(&error))
}

/// Its depth is the one that `serde_json` allows.
fn node(value: Value) -> Node {
    let scalar = |text: String, plain| Content::Scalar(Scalar { text, plain });
    let content = match value {
        Value::Null => scalar("null".to_owned(), true),
        Value::Bool(value) => scalar(value.to_string(), true),
        Value::Number(number) => scalar(number.to_string(), true),
        Value::String(text) => scalar(text, false),
        Value::Array(items) => Content::List(items.into_iter().map(node).collect()),
        Value::Object(members) => Content::Map(members.into_iter().map(|(key, value)| (key, node(value))).collect()),
    };
    Node { tag: None, line: None, content }
}
