//! Breaks each constraint of the API model in each operation. An input that breaks one constraint gets only that error.

use super::{values, *};
use crate::api::{model::Shape, operations};

/// A step from a value to one inside it.
#[derive(Clone)]
enum Step {
    Member(String),
    Item(usize),
    Entry(String),
}

/// A change to a valid input, and its error.
struct Break {
    at: Vec<Step>,
    /// The new value. `None` removes the old one.
    value: Option<Value>,
    error: (&'static str, String),
}

#[test]
fn each_broken_constraint_is_reported_alone() {
    let mut broken = 0;
    for operation in operations() {
        let input = &MODEL.operations[operation].input;
        let valid = values::full(input);
        let mut local = Local::new();
        if let Err((name, message)) = local.try_call(operation, &valid) {
            let valid = name != "SerializationException" && !message.contains("detected:");
            assert!(valid, "{operation} refuses a valid input: {message}");
        }
        for Break { at, value, error } in breaks(input, &[]) {
            let mut input = valid.clone();
            put(&mut input, &at, value.clone());
            let answer = local.try_call(operation, &input);
            assert_eq!(answer, Err((error.0.to_owned(), error.1)), "{operation} with {value:?} at '{}'", path(&at));
            broken += 1;
        }
    }
    assert!(broken > 3000, "only {broken} constraints were broken");
}

/// All ways to break this value and the values inside it.
fn breaks(name: &str, at: &[Step]) -> Vec<Break> {
    let shape = MODEL.shape(name);
    let mut all = wrong_types(shape.kind, at);
    match shape.kind {
        Kind::Structure => {
            for (member, name) in &shape.members {
                let at = [at, &[Step::Member(member.clone())]].concat();
                if shape.required.contains(member) {
                    all.extend(
                        [None, Some(Value::Null)].map(|value| invalid(&at, value, &["Member must not be null"])),
                    );
                }
                all.extend(breaks(name, &at));
            }
        }
        Kind::List => {
            let item = shape.member.as_ref().unwrap();
            for count in wrong_sizes(shape) {
                let items = vec![values::full(item); count as usize];
                all.push(invalid(at, Some(items.into()), &broken_rules(shape, count)));
            }
            let at = [at, &[Step::Item(0)]].concat();
            all.push(invalid(&at, Some(Value::Null), &["Member must not be null"]));
            all.extend(breaks(item, &at));
        }
        Kind::Map => all.extend(map_breaks(shape, at)),
        Kind::String => {
            for text in wrong_texts(name, shape) {
                let rules = text_rules(name, shape).into_iter().filter(|rule| !holds(name, shape, rule, &text));
                all.push(invalid(at, Some(text.clone().into()), &rules.collect::<Vec<_>>()));
            }
        }
        Kind::Integer => {
            if let Some(max) = shape.max {
                let rule = format!("Member must have value less than or equal to {max}");
                all.push(invalid(at, Some((max + 1).into()), &[rule]));
            }
            if let Some(min) = shape.min {
                let rule = format!("Member must have value greater than or equal to {min}");
                all.push(invalid(at, Some((min as i64 - 1).into()), &[rule]));
            }
        }
        Kind::Boolean | Kind::Timestamp => {}
    }
    all
}

/// A map's error names the map and all rules of its keys or values.
fn map_breaks(shape: &Shape, at: &[Step]) -> Vec<Break> {
    let (key_name, value_name) = (shape.key.as_ref().unwrap(), shape.value.as_ref().unwrap());
    let (key_shape, value_shape) = (MODEL.shape(key_name), MODEL.shape(value_name));
    let key = values::text(key_shape, 4);
    let map = |entries: Vec<(String, Value)>| Some(Value::Object(entries.into_iter().collect()));
    let message = |what: &str, rules: Vec<String>| format!("{what} must satisfy constraint: [{}]", rules.join(", "));
    let mut all = Vec::new();
    for count in wrong_sizes(shape) {
        let entries = (0..count).map(|number| (format!("{key}{number}"), values::full(value_name)));
        all.push(invalid(at, map(entries.collect()), &broken_rules(shape, count)));
    }
    for text in wrong_texts(key_name, key_shape) {
        let rule = message("Map keys", text_rules(key_name, key_shape));
        all.push(invalid(at, map(vec![(text, values::full(value_name))]), &[rule]));
    }
    let at = [at, &[Step::Entry(key.clone())]].concat();
    if value_shape.kind == Kind::Structure {
        all.extend(breaks(value_name, &at));
        return all;
    }
    for text in wrong_texts(value_name, value_shape) {
        let rule = message("Map value", text_rules(value_name, value_shape));
        all.push(Break { at: at.clone(), value: Some(text.into()), ..invalid(&at[..at.len() - 1], None, &[rule]) });
    }
    for wrong in wrong_types(value_shape.kind, &at[..at.len() - 1]) {
        all.push(Break { at: at.clone(), ..wrong });
    }
    all
}

/// A value of each wrong JSON type. The service can't parse such a request.
fn wrong_types(kind: Kind, at: &[Step]) -> Vec<Break> {
    let (right, wanted): (fn(&Value) -> bool, _) = match kind {
        Kind::Structure | Kind::Map => (Value::is_object, "an object"),
        Kind::List => (Value::is_array, "a list"),
        Kind::String => (Value::is_string, "a string"),
        Kind::Integer => (|value| *value == json!(7), "an integer of 32 bits"),
        Kind::Boolean => (Value::is_boolean, "a boolean"),
        Kind::Timestamp => (Value::is_number, "a number of seconds since 1970"),
    };
    let place = if at.is_empty() { "The request".to_owned() } else { format!("Value at '{}'", path(at)) };
    let huge = [json!(2_147_483_648_u64), json!(-2_147_483_649_i64), json!(u64::MAX), json!(1e300)];
    let values = [json!({}), json!([]), json!("7"), json!(7), json!(7.5), json!(7.0), json!(true)];
    values
        .into_iter()
        .chain(huge)
        .filter(|value| !right(value))
        .map(|value| Break {
            at: at.to_vec(),
            value: Some(value),
            error: ("SerializationException", format!("{place} must be {wanted}")),
        })
        .collect()
}

fn invalid(at: &[Step], value: Option<Value>, rules: &[impl AsRef<str>]) -> Break {
    let place = path(at);
    let broken: Vec<String> = rules
        .iter()
        .map(|rule| format!("Value at '{place}' failed to satisfy constraint: {}", rule.as_ref()))
        .collect();
    assert!(!broken.is_empty(), "no constraint is broken at '{place}'");
    let count =
        if broken.len() == 1 { "1 validation error".to_owned() } else { format!("{} validation errors", broken.len()) };
    let message = format!("{count} detected: {}", broken.join("; "));
    Break { at: at.to_vec(), value, error: ("ValidationException", message) }
}

/// Sizes of a list or map that break a constraint.
fn wrong_sizes(shape: &Shape) -> Vec<u64> {
    let few = shape.min.filter(|min| *min > 0).map(|min| min - 1);
    few.into_iter().chain(shape.max.map(|max| max + 1)).collect()
}

fn broken_rules(shape: &Shape, size: u64) -> Vec<String> {
    let many = shape.max.filter(|max| size > *max);
    let few = shape.min.filter(|min| size < *min);
    many.map(at_most).into_iter().chain(few.map(at_least)).collect()
}

/// Strings that break one constraint each, and no other if possible.
fn wrong_texts(name: &str, shape: &Shape) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(max) = max_length(name, shape) {
        texts.push(values::text(shape, max + 1));
        // Characters are counted, not bytes.
        if shape.pattern.is_none() {
            texts.push("ü".repeat(max as usize + 1));
        }
    }
    if let Some(min) = shape.min.filter(|min| *min > 0) {
        texts.push(values::text(shape, min).chars().take(min as usize - 1).collect());
    }
    if shape.pattern.is_some() {
        // No pattern matches a line break.
        let text: String = values::text(shape, shape.min.unwrap_or(0)).chars().skip(1).collect();
        texts.push(format!("\n{text}"));
    }
    if !shape.values.is_empty() {
        texts.extend(["Nothing".to_owned(), shape.values[0].to_lowercase(), String::new()]);
    }
    texts.retain(|text| text_rules(name, shape).iter().any(|rule| !holds(name, shape, rule, text)));
    texts
}

/// The rules in the service's order.
fn text_rules(name: &str, shape: &Shape) -> Vec<String> {
    let pattern = shape.pattern.as_ref();
    let values = (!shape.values.is_empty()).then(|| shape.values.join(", "));
    max_length(name, shape)
        .map(at_most)
        .into_iter()
        .chain(shape.min.map(at_least))
        .chain(pattern.map(|pattern| format!("Member must satisfy regular expression pattern: {}", pattern.text)))
        .chain(values.map(|values| format!("Member must satisfy enum value set: [{values}]")))
        .collect()
}

fn holds(name: &str, shape: &Shape, rule: &str, text: &str) -> bool {
    let length = text.chars().count() as u64;
    if rule.contains("less than") {
        max_length(name, shape).is_none_or(|max| length <= max)
    } else if rule.contains("greater than") {
        shape.min.is_none_or(|min| length >= min)
    } else if rule.contains("pattern") {
        shape.pattern.as_ref().is_none_or(|pattern| pattern.whole.is_match(text))
    } else {
        shape.values.iter().any(|value| value == text)
    }
}

/// The length limit; a setting has that of configuration values.
fn max_length(name: &str, shape: &Shape) -> Option<u64> {
    let configured = (name == "ActionConfigurationValue").then(|| Settings::default().configuration_value_limit);
    configured.or(shape.max)
}

fn at_most(max: u64) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn at_least(min: u64) -> String {
    format!("Member must have length greater than or equal to {min}")
}

/// The path as the service writes it.
fn path(at: &[Step]) -> String {
    let steps: Vec<String> = at
        .iter()
        .map(|step| match step {
            Step::Member(name) => name.clone(),
            Step::Item(index) => format!("{}.member", index + 1),
            Step::Entry(key) => format!("{key}.member"),
        })
        .collect();
    steps.join(".")
}

fn put(input: &mut Value, at: &[Step], value: Option<Value>) {
    let Some((last, before)) = at.split_last() else {
        *input = value.expect("the whole input is replaced, never removed");
        return;
    };
    let parent = before.iter().fold(input, |value, step| match step {
        Step::Member(name) | Step::Entry(name) => &mut value[name],
        Step::Item(index) => &mut value[index],
    });
    match (last, value) {
        (Step::Member(name) | Step::Entry(name), Some(value)) => parent[name] = value,
        (Step::Member(name) | Step::Entry(name), None) => _ = parent.as_object_mut().unwrap().remove(name),
        (Step::Item(index), Some(value)) => parent[index] = value,
        (Step::Item(index), None) => _ = parent.as_array_mut().unwrap().remove(*index),
    }
}
