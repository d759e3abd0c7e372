//! A pattern's objects, and the rules that `$or` expands them to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::comparison::{self, Comparison};

/// The comparisons for each path of an event. Each path needs one that matches. A path is the names of the members that lead to a
/// value, joined by dots.
pub(super) type Rule = BTreeMap<String, Arc<[Comparison]>>;

const OR: &str = "$or";

/// How many rules the `$or`s of a pattern may expand to (EventBridge User Guide, "Or matching").
const MOST_RULES: usize = 1000;

/// Names that `aws/event-ruler` reserves. A member below `$or` can't have one of them.
const RESERVED: [&str; 14] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exactly",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
    "=",
    "<",
    "<=",
    ">",
    ">=",
];

/// The rules of a pattern. The error begins with the place.
pub(super) fn read(members: &Map<String, Value>) -> Result<Vec<Rule>, String> {
    let mut rules = vec![Rule::new()];
    object(members, &Place::default(), &mut rules)?;
    Ok(rules)
}

/// A place in a pattern as a JSON pointer, and the event path that it applies to.
#[derive(Clone, Default)]
struct Place {
    pointer: String,
    path: String,
    below_or: bool,
}

impl Place {
    fn below(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self {
            pointer: format!("{}/{name}", self.pointer),
            path: format!("{}{dot}{name}", self.path),
            below_or: self.below_or,
        }
    }

    fn wrong<T>(&self, why: &str) -> Result<T, String> {
        let at = if self.pointer.is_empty() { "the pattern" } else { &self.pointer };
        Err(format!("{at}: {why}"))
    }
}

/// Adds the object's comparisons to each rule.
fn object(members: &Map<String, Value>, place: &Place, rules: &mut Vec<Rule>) -> Result<(), String> {
    if members.is_empty() {
        return place.wrong(
            "an empty object matches nothing in EventBridge; name a member, as in {\"source\": [{\"prefix\": \"\"}]}, which matches every event",
        );
    }
    for (name, member) in members {
        if name == OR {
            either(member, place, rules)?;
            continue;
        }
        let below = place.below(name);
        if place.below_or && RESERVED.contains(&name.as_str()) {
            return below.wrong("below $or, a member can't have the name of a comparison");
        }
        match member {
            Value::Object(members) => object(members, &below, rules)?,
            Value::Array(choices) if choices.is_empty() => return below.wrong("an empty list matches nothing"),
            Value::Array(choices) => {
                let read = |(index, choice)| {
                    comparison::read(choice).map_err(|why| format!("{}/{index}: {why}", below.pointer))
                };
                let choices: Arc<[_]> = choices.iter().enumerate().map(read).collect::<Result<_, _>>()?;
                for rule in &mut *rules {
                    if rule.insert(below.path.clone(), Arc::clone(&choices)).is_some() {
                        return below.wrong("the pattern compares this member twice");
                    }
                }
            }
            _ => return below.wrong("write a list of values, as in [\"a\"], or an object"),
        }
    }
    Ok(())
}

/// Expands each rule to one rule for each object of `$or`.
fn either(choices: &Value, place: &Place, rules: &mut Vec<Rule>) -> Result<(), String> {
    let below = Place { pointer: format!("{}/{OR}", place.pointer), below_or: true, ..place.clone() };
    let Some(choices) = choices.as_array().filter(|choices| choices.len() > 1) else {
        return below.wrong("write a list of two objects or more");
    };
    let mut all = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        let below = Place { pointer: format!("{}/{index}", below.pointer), ..below.clone() };
        let Value::Object(members) = choice else { return below.wrong("only an object may be in the list of $or") };
        let mut branch = rules.clone();
        object(members, &below, &mut branch)?;
        all.append(&mut branch);
        if all.len() > MOST_RULES {
            return below.wrong(&format!("the pattern's $or lists expand to more than {MOST_RULES} rules"));
        }
    }
    *rules = all;
    Ok(())
}
