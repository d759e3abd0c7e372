//! An event's values by their paths, and whether they match a rule.
//!
//! An array is not a step of a path: each element is a value of the array's member. Values that match a rule together must not come from
//! different elements of one array (`aws/event-ruler`, "JSON Array Matching").

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::comparison::Comparison;
use super::rules::Rule;

/// The array elements that contain a value: the number of each array and the index in it.
type Elements = BTreeMap<usize, usize>;

/// The strings, numbers, booleans and nulls of an event.
#[derive(Default)]
pub(super) struct Fields<'e> {
    by_path: BTreeMap<String, Vec<Field<'e>>>,
    arrays: usize,
}

struct Field<'e> {
    value: &'e Value,
    elements: Elements,
}

impl<'e> Fields<'e> {
    pub(super) fn of(event: &'e Value) -> Self {
        let mut fields = Self::default();
        fields.add(event, "", &Elements::new());
        fields
    }

    fn add(&mut self, value: &'e Value, path: &str, elements: &Elements) {
        match value {
            Value::Object(members) => {
                let dot = if path.is_empty() { "" } else { "." };
                for (name, member) in members {
                    self.add(member, &format!("{path}{dot}{name}"), elements);
                }
            }
            Value::Array(items) => {
                let array = self.arrays;
                self.arrays += 1;
                for (index, item) in items.iter().enumerate() {
                    let mut elements = elements.clone();
                    // Plain values of one array may match together.
                    if item.is_object() || item.is_array() {
                        elements.insert(array, index);
                    }
                    self.add(item, path, &elements);
                }
            }
            _ => {
                let field = Field { value, elements: elements.clone() };
                self.by_path.entry(path.to_owned()).or_default().push(field);
            }
        }
    }

    /// Whether each of the rule's paths has a matching value, or no value if the rule wants none.
    pub(super) fn fulfil(&self, rule: &Rule) -> bool {
        let wanted: Vec<_> = rule.iter().collect();
        self.fulfil_from(&wanted, &Elements::new())
    }

    /// The same for the rest of a rule, after values in these elements matched.
    fn fulfil_from(&self, wanted: &[(&String, &Arc<[Comparison]>)], taken: &Elements) -> bool {
        let [(path, choices), rest @ ..] = wanted else { return true };
        let fields = self.by_path.get(*path).map_or(&[][..], Vec::as_slice);
        let joined: Vec<_> = fields.iter().filter_map(|field| Some((field, join(taken, &field.elements)?))).collect();
        let may_be_absent = choices.iter().any(|choice| matches!(choice, Comparison::Exists(false)));
        if joined.is_empty() {
            return may_be_absent && self.fulfil_from(rest, taken);
        }
        let mut tried: Vec<Elements> = Vec::new();
        for (field, elements) in joined {
            // The rest of the search depends on the elements alone.
            if !tried.contains(&elements) && choices.iter().any(|choice| choice.fits(field.value)) {
                if self.fulfil_from(rest, &elements) {
                    return true;
                }
                tried.push(elements);
            }
        }
        false
    }
}

/// Merges both. Returns `None` if they are in different elements of one array.
fn join(one: &Elements, other: &Elements) -> Option<Elements> {
    if other.iter().any(|(array, index)| one.get(array).is_some_and(|taken| taken != index)) {
        return None;
    }
    Some(one.iter().chain(other).map(|(array, index)| (*array, *index)).collect())
}
