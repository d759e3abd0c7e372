//! Paths of members in an operation's input, and other values for them.

use serde_json::{Map, Value, json};

use super::super::{Kind, MODEL, values};
use crate::api::model::Shape;

/// A member of a structure.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) shape: String,
    pub(super) member: String,
}

impl Member {
    /// The name as README.md writes it. Inputs and outputs have the name of their operation.
    pub(super) fn name(&self) -> String {
        let shape = self.shape.strip_suffix("Input").or_else(|| self.shape.strip_suffix("Output"));
        format!("{}.{}", shape.unwrap_or(&self.shape), self.member)
    }
}

/// A member that is not a structure and contains none, and the members that lead to it.
pub(super) struct Leaf {
    pub(super) members: Vec<Member>,
}

impl Leaf {
    pub(super) fn member(&self) -> &Member {
        self.members.last().expect("a leaf is a member")
    }

    pub(super) fn path(&self) -> String {
        let names: Vec<&str> = self.members.iter().map(|member| member.member.as_str()).collect();
        names.join(".")
    }

    /// Whether it is required and has only one possible value.
    pub(super) fn says_nothing(&self) -> bool {
        self.shape().1.values.len() == 1 && self.is_required()
    }

    fn is_required(&self) -> bool {
        let Member { shape, member } = self.member();
        MODEL.shape(shape).required.contains(member)
    }

    fn shape(&self) -> (&'static str, &'static Shape) {
        let member = self.member();
        let name = &MODEL.shape(&member.shape).members[&member.member];
        (name, MODEL.shape(name))
    }
}

/// All leaves of the shape.
pub(super) fn leaves(name: &str) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(name, &[], &mut found);
    found
}

fn collect(name: &str, before: &[Member], found: &mut Vec<Leaf>) {
    for (member, inner) in &MODEL.shape(name).members {
        let members = [before, &[Member { shape: name.to_owned(), member: member.clone() }]].concat();
        match structure_in(inner) {
            Some(structure) => collect(structure, &members, found),
            None => found.push(Leaf { members }),
        }
    }
}

/// The structure of the shape, or of its items if it is a list or map.
fn structure_in(name: &str) -> Option<&str> {
    let shape = MODEL.shape(name);
    match shape.kind {
        Kind::Structure => Some(name),
        Kind::List => structure_in(shape.member.as_ref().unwrap()),
        Kind::Map => structure_in(shape.value.as_ref().unwrap()),
        _ => None,
    }
}

/// Sets or removes the value at the leaf's path. Creates the values around it. In a list, it changes the last item.
pub(super) fn put(input: &mut Value, operation: &str, leaf: &Leaf, value: Option<Value>) {
    let place = place(input, &MODEL.operations[operation].input, &leaf.members);
    match value {
        Some(value) => _ = place.insert(leaf.member().member.clone(), value),
        None => _ = place.remove(&leaf.member().member),
    }
}

fn place<'a>(value: &'a mut Value, name: &str, members: &[Member]) -> &'a mut Map<String, Value> {
    let shape = MODEL.shape(name);
    match shape.kind {
        Kind::Structure => {
            let member = &members[0].member;
            let members_here = value.as_object_mut().unwrap();
            if members.len() == 1 {
                return members_here;
            }
            let inner = &shape.members[member];
            let made = members_here.entry(member.clone()).or_insert_with(|| values::least(inner));
            place(made, inner, &members[1..])
        }
        Kind::List => {
            let (item, items) = (shape.member.as_ref().unwrap(), value.as_array_mut().unwrap());
            if items.is_empty() {
                items.push(values::least(item));
            }
            place(items.last_mut().unwrap(), item, members)
        }
        _ => {
            let (inner, entries) = (shape.value.as_ref().unwrap(), value.as_object_mut().unwrap());
            if entries.is_empty() {
                entries.insert("us-east-1".to_owned(), values::least(inner));
            }
            place(entries.values_mut().last().unwrap(), inner, members)
        }
    }
}

/// Alternatives for a leaf's value.
pub(super) struct Variants {
    /// Whether the input has it.
    pub(super) given: bool,
    /// Whether it is optional.
    pub(super) without: bool,
    pub(super) others: Vec<Value>,
}

/// Values for the leaf that differ from the input's.
pub(super) fn variants(input: &Value, operation: &str, leaf: &Leaf) -> Variants {
    let mut input = input.clone();
    let now = place(&mut input, &MODEL.operations[operation].input, &leaf.members).get(&leaf.member().member).cloned();
    let (name, shape) = leaf.shape();
    let mut others = others(name, shape);
    others.retain(|other| Some(other) != now.as_ref());
    Variants { given: now.is_some(), without: !leaf.is_required(), others }
}

fn others(name: &str, shape: &Shape) -> Vec<Value> {
    match shape.kind {
        Kind::String if !shape.values.is_empty() => shape.values.iter().cloned().map(Value::from).collect(),
        Kind::Integer => {
            let least = shape.min.unwrap_or(0).max(1);
            vec![least.into(), (least + 1).into(), (least + 6).into()]
        }
        Kind::Boolean => vec![true.into(), false.into()],
        Kind::Timestamp => vec![json!(1_700_000_000.5), json!(1_600_000_000)],
        _ => vec![other_texts(values::full(name)), values::full(name)],
    }
}

fn other_texts(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace('a', "b").replace('1', "2").into(),
        Value::Array(items) => items.into_iter().map(other_texts).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, other_texts(value))).collect(),
        other => other,
    }
}
