//! Evaluates CloudFormation's functions, as far as a pipeline needs them and without AWS.
//!
//! Every value is evaluated where it is used, so a template with other resources costs nothing and needs nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::parameters::{Parameters, flag};
use super::place::Place;
use super::problem::Problem;
use super::sections::Template;
use crate::yaml::{Content, Node};

mod attributes;
mod conditions;
mod constraints;
mod dynamic;
mod functions;
mod limits;
mod names;
mod pseudo;
mod reference;
mod stand_ins;
mod sub;

/// How many bytes an evaluation may make. It stops templates whose values double from name to name.
const BUDGET: usize = 8 << 20;

/// How many problems are collected.
const MAX_PROBLEMS: usize = 50;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// `AWS::NoValue`: the member or item does not exist.
    NoValue,
    /// A problem says why.
    Unresolved,
}

pub(super) type Resolved<T = Value> = Result<T, Absent>;

/// Evaluates values of one template and collects what it can't resolve.
pub(super) struct Resolver<'a> {
    pub(super) template: &'a Template<'a>,
    pub(super) parameters: &'a Parameters,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
    /// Resources by the physical names and ARNs that were made up for them.
    pub(super) logical_ids: BTreeMap<String, String>,
    /// The keys of `--parameter` that had an effect.
    used: BTreeSet<String>,
    /// The exports of other stacks, by name.
    imports: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    conditions: BTreeMap<String, bool>,
    /// The names and conditions that are being evaluated. One that comes twice depends on itself.
    under_way: Vec<String>,
    depth: usize,
    left: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(template: &'a Template<'a>, parameters: &'a Parameters) -> Self {
        Self {
            template,
            parameters,
            problems: Vec::new(),
            notes: Vec::new(),
            logical_ids: BTreeMap::new(),
            used: BTreeSet::new(),
            imports: BTreeMap::new(),
            names: BTreeMap::new(),
            conditions: BTreeMap::new(),
            under_way: Vec::new(),
            depth: 0,
            left: BUDGET,
        }
    }

    /// Adds what other stacks export, and the keys of `--parameter` that had an effect there.
    pub(super) fn with_imports(mut self, imports: BTreeMap<String, String>, used: BTreeSet<String>) -> Self {
        self.imports = imports;
        self.used = used;
        self
    }

    /// The keys of `--parameter` that had an effect.
    pub(super) fn into_used(self) -> BTreeSet<String> {
        self.used
    }

    /// Evaluates a value with everything in it. Collects all problems of a list or map.
    pub(super) fn value(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved {
        let value = self.evaluate(node, place)?;
        self.replace_dynamic(value, place)
    }

    /// Evaluates a value, and forgets what it can't resolve.
    pub(super) fn quietly<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> Resolved<T>) -> Option<T> {
        let (problems, notes) = (self.problems.len(), self.notes.len());
        let value = evaluate(self).ok();
        self.problems.truncate(problems);
        self.notes.truncate(notes);
        value
    }

    /// Records a problem.
    pub(super) fn unresolved<T>(&mut self, place: &Place<'_>, message: impl Into<String>) -> Resolved<T> {
        if self.problems.len() < MAX_PROBLEMS {
            let problem = Problem::at(place, self.template.root, message);
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        Err(Absent::Unresolved)
    }

    /// The value that the user gives for the key.
    fn given(&mut self, key: &str) -> Option<&'a str> {
        let given = self.parameters.get(key)?;
        self.used.insert(key.to_owned());
        Some(given)
    }

    /// The keys of `--parameter` that name nothing in the template.
    pub(super) fn unused(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .keys()
            .filter(|key| !self.used.contains(*key) && !self.template.parameters.contains_key(key))
            .filter(|key| !pseudo::PSEUDO.contains(key))
    }

    fn evaluate(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved {
        self.deeper(place, |resolver| match &node.content {
            Content::Scalar(scalar) => resolver.charge(scalar.text.len(), place).map(|()| scalar.to_value()),
            Content::List(items) => resolver.list(items, place),
            Content::Map(entries) => resolver.map(entries, place),
        })
    }

    fn list(&mut self, items: &'a [Node], place: &Place<'_>) -> Resolved {
        let mut values = Vec::new();
        let mut complete = true;
        for (index, item) in items.iter().enumerate() {
            match self.evaluate(item, &place.item(index)) {
                Ok(value) => values.push(value),
                Err(Absent::NoValue) => {}
                Err(Absent::Unresolved) => complete = false,
            }
        }
        if complete { Ok(Value::Array(values)) } else { Err(Absent::Unresolved) }
    }

    fn map(&mut self, entries: &'a [(String, Node)], place: &Place<'_>) -> Resolved {
        if let [(name, argument)] = entries
            && (name == "Ref" || name.starts_with("Fn::"))
        {
            return self.function(name, argument, place);
        }
        let mut values = Map::new();
        let mut complete = true;
        for (key, node) in entries {
            match self.member(key, node, place) {
                Ok(value) => drop(values.insert(key.clone(), value)),
                Err(Absent::NoValue) => {}
                Err(Absent::Unresolved) => complete = false,
            }
        }
        if complete { Ok(Value::Object(values)) } else { Err(Absent::Unresolved) }
    }

    /// Evaluates a value that must be a text, a number or a truth value.
    fn text(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved<String> {
        let value = self.evaluate(node, place)?;
        match text_of(&value) {
            Some(text) => Ok(text),
            None => self.unresolved(place, "must be a text here"),
        }
    }

    /// Evaluates something that others may depend on. Refuses what depends on itself.
    fn once<T>(
        &mut self,
        what: String,
        place: &Place<'_>,
        evaluate: impl FnOnce(&mut Self) -> Resolved<T>,
    ) -> Resolved<T> {
        if let Some(first) = self.under_way.iter().position(|other| *other == what) {
            let circle = self.under_way[first..].join(", ");
            return self.unresolved(place, format!("depends on itself: {circle}, and again {what}; break this circle"));
        }
        self.under_way.push(what);
        let value = evaluate(self);
        self.under_way.pop();
        value
    }
}

/// The text of a value that CloudFormation accepts as one.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A sentence for a value that only the user knows.
fn give(key: &str) -> String {
    format!("type {}", flag(key))
}
