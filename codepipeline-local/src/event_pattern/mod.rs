//! Patterns of EventBridge's rules, which select the events that invoke a function (EventBridge User Guide, "Event patterns" and
//! "Comparison operators for use in event patterns"). If the guide is silent, a pattern means the same as in `aws/event-ruler`, the
//! library that EventBridge uses.

mod comparison;
mod fields;
mod members;
mod network;
mod numbers;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod wildcard;

use serde_json::{Value, json};

use comparison::Comparison;
use fields::Fields;
use rules::Rule;

/// The longest pattern, in characters: the highest value of the quota (EventBridge User Guide, "Amazon EventBridge quotas").
const LONGEST: usize = 4096;

/// A pattern: the rules that `$or` expands it to. An event must match one of them.
#[derive(Clone, Debug)]
pub struct EventPattern(Vec<Rule>);

impl EventPattern {
    /// The pattern of the events that a job worker needs, as in `template.yaml`'s rule: custom and third-party actions that have
    /// started, failed, or were abandoned or cancelled.
    pub fn action_events() -> Self {
        let one_of = |values: &[&str]| values.iter().map(|value| Comparison::Equals(json!(value))).collect();
        let members = [
            ("source", one_of(&["aws.codepipeline"])),
            ("detail-type", one_of(&["CodePipeline Action Execution State Change"])),
            ("detail.state", one_of(&["STARTED", "FAILED", "ABANDONED", "CANCELED"])),
            ("detail.type.owner", one_of(&["Custom", "ThirdParty"])),
        ];
        Self(vec![members.into_iter().map(|(path, choices)| (path.to_owned(), choices)).collect()])
    }

    /// Reads a pattern. The error names the place and the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(format!("the pattern has {length} characters; EventBridge accepts at most {LONGEST}"));
        }
        let pattern: Value = serde_json::from_str(text).map_err(|error| format!("the pattern is not JSON: {error}"))?;
        let Value::Object(members) = pattern else { return Err("the pattern must be a JSON object".to_owned()) };
        rules::read(&members).map(Self)
    }

    /// Whether a rule with this pattern matches the event.
    pub fn matches(&self, event: &Value) -> bool {
        let fields = Fields::of(event);
        self.0.iter().any(|rule| fields.fulfil(rule))
    }
}
