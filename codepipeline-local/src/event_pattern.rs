//! Which events wake a function: the patterns of EventBridge's rules (EventBridge User Guide, "Event patterns").

use serde_json::{Map, Value};

/// A pattern: for members of an event, lists of which the event's value must be one.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPattern(Map<String, Value>);

impl EventPattern {
    /// The pattern of all action events, whatever became of the action.
    pub fn action_events() -> Self {
        let of = |member: &str, value: &str| (member.to_owned(), Value::from(vec![value]));
        let members =
            [of("source", "aws.codepipeline"), of("detail-type", "CodePipeline Action Execution State Change")];
        Self(members.into_iter().collect())
    }

    /// Reads a pattern. It may compare with values, and with `{"prefix": …}`, `{"anything-but": …}` and `{"exists": …}`;
    /// the error says where it does anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pattern: Value = serde_json::from_str(text).map_err(|error| format!("the pattern is not JSON: {error}"))?;
        let Value::Object(members) = pattern else { return Err("the pattern must be a JSON object".to_owned()) };
        check(&members, "")?;
        Ok(Self(members))
    }

    /// Whether a rule with this pattern takes the event.
    pub fn matches(&self, event: &Value) -> bool {
        all_match(&self.0, event)
    }
}

fn check(members: &Map<String, Value>, path: &str) -> Result<(), String> {
    for (name, member) in members {
        let path = format!("{path}/{name}");
        match member {
            Value::Object(members) => check(members, &path)?,
            Value::Array(choices) if !choices.is_empty() => {
                if let Some(wrong) = choices.iter().find(|choice| !is_choice(choice)) {
                    return Err(format!(
                        "{path}: {wrong} is no value, prefix, anything-but or exists; the emulator knows no other comparison"
                    ));
                }
            }
            _ => return Err(format!("{path}: write a list of values with at least one, or an object")),
        }
    }
    Ok(())
}

fn is_choice(choice: &Value) -> bool {
    match choice {
        Value::Object(comparison) => {
            let mut members = comparison.iter();
            let known = members.next().is_some_and(|(name, with)| match name.as_str() {
                "prefix" => with.is_string(),
                "exists" => with.is_boolean(),
                "anything-but" => !with.is_object(),
                _ => false,
            });
            known && members.next().is_none()
        }
        Value::Array(_) => false,
        _ => true,
    }
}

fn all_match(pattern: &Map<String, Value>, event: &Value) -> bool {
    pattern.iter().all(|(name, wanted)| {
        let found = event.get(name);
        match wanted {
            Value::Object(members) => all_match(members, found.unwrap_or(&Value::Null)),
            Value::Array(choices) => choices.iter().any(|choice| fits(choice, found)),
            // Refused when the pattern was read.
            _ => false,
        }
    })
}

fn fits(choice: &Value, found: Option<&Value>) -> bool {
    if let Value::Object(comparison) = choice {
        return comparison.iter().all(|(name, with)| match name.as_str() {
            "exists" => Some(found.is_some()) == with.as_bool(),
            "prefix" => {
                let text = found.and_then(Value::as_str);
                text.zip(with.as_str()).is_some_and(|(text, prefix)| text.starts_with(prefix))
            }
            _ => found.is_some_and(|found| !with.as_array().map_or(found == with, |list| list.contains(found))),
        });
    }
    match found {
        // Of a list, one must be the value.
        Some(Value::Array(items)) => items.contains(choice),
        Some(found) => found == choice || found.as_f64().is_some_and(|number| Some(number) == choice.as_f64()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Value) -> bool {
        let event = json!({
            "source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change",
            "resources": ["arn:a", "arn:b"],
            "detail": {"state": "STARTED", "version": 1.0, "type": {"owner": "Custom", "provider": "Check"}},
        });
        EventPattern::parse(&pattern.to_string()).unwrap().matches(&event)
    }

    #[test]
    fn every_member_of_a_pattern_must_fit_one_of_its_choices() {
        for pattern in [
            json!({}),
            json!({"source": ["aws.codepipeline"], "detail": {"state": ["FAILED", "STARTED"]}}),
            json!({"detail": {"type": {"owner": ["Custom"], "provider": [{"prefix": "Ch"}]}}}),
            json!({"detail": {"state": [{"anything-but": ["FAILED"]}], "version": [1]}}),
            json!({"detail": {"state": [{"anything-but": "FAILED"}], "error": [{"exists": false}]}}),
            json!({"resources": ["arn:b"]}),
        ] {
            assert!(matches(&pattern), "{pattern}");
        }
        for pattern in [
            json!({"source": ["aws.events"]}),
            json!({"detail": {"state": ["STARTED"], "type": {"owner": ["ThirdParty"]}}}),
            json!({"detail": {"state": [{"anything-but": ["STARTED"]}]}}),
            json!({"detail": {"state": [{"exists": false}]}}),
            json!({"detail": {"missing": ["x"]}}),
            json!({"missing": {"member": ["x"]}}),
        ] {
            assert!(!matches(&pattern), "{pattern}");
        }
    }

    #[test]
    fn the_default_takes_action_events_and_no_others() {
        let event = |kind: &str| json!({"source": "aws.codepipeline", "detail-type": format!("CodePipeline {kind} Execution State Change")});
        let taken = ["Action", "Stage", "Pipeline"].map(|kind| EventPattern::action_events().matches(&event(kind)));
        assert_eq!(taken, [true, false, false]);
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_place() {
        for (pattern, named) in [
            ("[]", "object"),
            ("{", "JSON"),
            (r#"{"detail": {"state": "STARTED"}}"#, "/detail/state"),
            (r#"{"detail": {"state": []}}"#, "/detail/state"),
            (r#"{"detail": {"version": [{"numeric": [">", 0]}]}}"#, "numeric"),
        ] {
            let error = EventPattern::parse(pattern).unwrap_err();
            assert!(error.contains(named), "{error} lacks {named}");
        }
    }
}
