//! The items that a client has, and what to send when they change.

use std::collections::BTreeMap;

use serde_json::Value;

/// The items that a client has, as JSON by key. `None` before the first ones.
#[derive(Default)]
pub(super) struct Sent(Option<BTreeMap<String, String>>);

impl Sent {
    /// Remembers new items, and returns what to send: all, or what changed. `None` if nothing changed.
    pub(super) fn change(&mut self, items: BTreeMap<String, Value>) -> Option<String> {
        let items: BTreeMap<String, String> = items.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        let all = self.0.is_none();
        let before = self.0.take().unwrap_or_default();
        let is_new = |(key, value): &(&String, &String)| before.get(*key) != Some(*value);
        let set: Vec<String> =
            items.iter().filter(is_new).map(|(key, value)| format!("{}:{value}", json(key))).collect();
        let gone: Vec<String> = before.keys().filter(|key| !items.contains_key(*key)).map(|key| json(key)).collect();
        self.0 = Some(items);
        if !all && set.is_empty() && gone.is_empty() {
            return None;
        }
        Some(format!(r#"{{"all":{all},"set":{{{}}},"gone":[{}]}}"#, set.join(","), gone.join(",")))
    }

    /// Forgets all items. Returns whether the client had some.
    pub(super) fn forget(&mut self) -> bool {
        self.0.take().is_some()
    }
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items(items: &[(&str, i32)]) -> BTreeMap<String, Value> {
        items.iter().map(|(key, value)| ((*key).to_owned(), json!({"value": value}))).collect()
    }

    #[test]
    fn only_changes_follow_the_first_items() {
        let mut sent = Sent::default();
        let mut change =
            |now: &[(&str, i32)]| sent.change(items(now)).map(|text| serde_json::from_str::<Value>(&text).unwrap());
        let first = json!({"all": true, "set": {"a\"": {"value": 1}, "b": {"value": 1}}, "gone": []});
        assert_eq!(change(&[("a\"", 1), ("b", 1)]), Some(first));
        assert_eq!(change(&[("a\"", 1), ("b", 1)]), None);
        let second = json!({"all": false, "set": {"b": {"value": 2}, "c": {"value": 1}}, "gone": ["a\""]});
        assert_eq!(change(&[("b", 2), ("c", 1)]), Some(second));
        assert_eq!(change(&[]), Some(json!({"all": false, "set": {}, "gone": ["b", "c"]})));
        assert_eq!(change(&[]), None);
    }

    #[test]
    fn all_items_follow_when_they_were_forgotten() {
        let mut sent = Sent::default();
        assert!(!sent.forget());
        sent.change(items(&[("a", 1)]));
        assert!(sent.forget() && !sent.forget());
        assert_eq!(sent.change(items(&[("a", 1)])).unwrap(), r#"{"all":true,"set":{"a":{"value":1}},"gone":[]}"#);
    }
}
