//! Generates values of the API's shapes from the model.

use serde_json::{Map, Value, json};

use super::{Kind, MODEL};
use crate::api::model::Shape;

/// A string for each pattern of the model. Its last character may repeat. A new pattern needs a line here.
const SAMPLES: [(&str, &str); 17] = [
    (".*", "a"),
    ("AWS|ThirdParty", "AWS"),
    ("[0-9A-Za-z_-]+", "a"),
    ("[0-9]{12}", "123456789012"),
    ("[0-9]{12}|\\*", "*"),
    ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "11111111-2222-4333-8444-555555555555"),
    ("[A-Za-z0-9.@\\-_]+", "a"),
    ("[A-Za-z0-9@\\-_]+", "a"),
    ("[A-Za-z0-9_]+", "a"),
    ("[a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+", "a"),
    ("[a-zA-Z0-9\\-\\.]+", "a"),
    ("[a-zA-Z0-9_-]+", "a"),
    ("[a-zA-Z0-9_\\-]+", "a"),
    ("^[a-zA-Z0-9-]+$", "a"),
    ("arn:aws(-[\\w]+)*:codepipeline:.+:[0-9]{12}:.+", "arn:aws:codepipeline:us-east-1:123456789012:a"),
    ("arn:aws(-[\\w]+)*:iam::[0-9]{12}:role/.*", "arn:aws:iam::123456789012:role/a"),
    ("arn:aws(-[\\w]+)*:lambda:.+:[0-9]{12}:function:.+", "arn:aws:lambda:us-east-1:123456789012:function:a"),
];

/// A string of the shape with at least this many characters.
pub(super) fn text(shape: &Shape, length: u64) -> String {
    if let Some(value) = shape.values.first() {
        return value.clone();
    }
    let mut text = match &shape.pattern {
        None => "a".to_owned(),
        Some(pattern) => {
            let sample = SAMPLES.iter().find(|(known, _)| *known == pattern.text);
            sample.unwrap_or_else(|| panic!("no sample for the pattern {}", pattern.text)).1.to_owned()
        }
    };
    let last = text.chars().last().expect("no sample is empty");
    let missing = (length as usize).saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n(last, missing));
    text
}

/// A valid value with all members.
pub(super) fn full(name: &str) -> Value {
    made(name, &|_| true)
}

/// A valid value without optional members.
pub(super) fn least(name: &str) -> Value {
    made(name, &|required| required)
}

fn made(name: &str, wanted: &dyn Fn(bool) -> bool) -> Value {
    let shape = MODEL.shape(name);
    let least = shape.min.unwrap_or(0);
    match shape.kind {
        Kind::Structure => shape
            .members
            .iter()
            .filter(|(member, _)| wanted(shape.required.contains(member)))
            .map(|(member, name)| (member.clone(), made(name, wanted)))
            .collect(),
        Kind::List => vec![made(shape.member.as_ref().unwrap(), wanted); least.max(1) as usize].into(),
        Kind::Map => {
            let key = text(MODEL.shape(shape.key.as_ref().unwrap()), 4);
            Map::from_iter([(key, made(shape.value.as_ref().unwrap(), wanted))]).into()
        }
        Kind::String => text(shape, least).into(),
        Kind::Integer => least.max(1).into(),
        Kind::Boolean => true.into(),
        Kind::Timestamp => json!(1_700_000_000.5),
    }
}
