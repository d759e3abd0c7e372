//! Dynamic references: `{{resolve:ssm:/web/token}}`.

use serde_json::Value;

use super::{Absent, Resolved, Resolver, give};
use crate::template::place::Place;

const START: &str = "{{resolve:";

impl Resolver<'_> {
    /// Replaces the dynamic references in all texts of the value by what the user gives for them.
    pub(super) fn replace_dynamic(&mut self, value: Value, place: &Place<'_>) -> Resolved {
        match value {
            Value::String(text) if text.contains(START) => self.replace_in(&text, place).map(Value::String),
            Value::Array(items) => {
                let replaced = items.into_iter().enumerate();
                let replaced: Vec<_> =
                    replaced.map(|(index, item)| self.replace_dynamic(item, &place.item(index))).collect();
                replaced.into_iter().collect::<Resolved<Vec<_>>>().map(Value::Array)
            }
            Value::Object(members) => {
                let replaced: Vec<_> = members
                    .into_iter()
                    .map(|(key, value)| {
                        let value = self.replace_dynamic(value, &place.member(&key))?;
                        Ok::<_, Absent>((key, value))
                    })
                    .collect();
                replaced.into_iter().collect::<Resolved<_>>().map(Value::Object)
            }
            other => Ok(other),
        }
    }

    fn replace_in(&mut self, text: &str, place: &Place<'_>) -> Resolved<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{")
            && let Some((reference, after)) = after.split_once("}}")
        {
            out.push_str(before);
            match self.given(reference) {
                Some(given) => out.push_str(given),
                None if reference.starts_with("resolve:") => {
                    let shown = reference.escape_debug();
                    return self.unresolved(place, format!("only AWS knows {{{{{shown}}}}}; {}", give(reference)));
                }
                None => out.extend(["{{", reference, "}}"]),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}
