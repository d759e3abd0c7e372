//! Checks a request against the model. Clients check almost nothing themselves.
//!
//! The messages are the service's. They contain no values, as <https://github.com/badmintoncryer/cdk-preflight> recorded
//! ("rules/codepipeline", "run-order-range" and "artifact-store-encryption-key-kms").

use serde_json::Value;

use super::model::{Kind, MODEL, Shape};
use crate::engine::error::ApiError;

/// Checks `input` against the shape of this name. `configuration_limit` stands in for the model's limit on the length of
/// a configuration value.
pub(super) fn validate(input: &Value, shape: &str, configuration_limit: u64) -> Result<(), ApiError> {
    let mut walk = Walk { configuration_limit, broken: Vec::new() };
    walk.check(input, shape, "")?;
    match walk.broken.as_slice() {
        [] => Ok(()),
        [one] => Err(ApiError::validation(format!("1 validation error detected: {one}"))),
        many => Err(ApiError::validation(format!("{} validation errors detected: {}", many.len(), many.join("; ")))),
    }
}

/// Removes null members, which the protocol treats as absent.
pub(super) fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

struct Walk {
    configuration_limit: u64,
    broken: Vec<String>,
}

impl Walk {
    /// A value of the wrong JSON type ends the walk, because the service can't parse such a request.
    fn check(&mut self, value: &Value, name: &str, path: &str) -> Result<(), ApiError> {
        let shape = MODEL.shape(name);
        if value.is_null() && !path.is_empty() {
            self.broken.push(format!("Value at '{path}' failed to satisfy constraint: Member must not be null"));
            return Ok(());
        }
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => {
                for (member, member_shape) in &shape.members {
                    match members.get(member) {
                        Some(value) => self.check(value, member_shape, &join(path, member))?,
                        None if shape.required.contains(member) => {
                            self.check(&Value::Null, member_shape, &join(path, member))?;
                        }
                        None => {}
                    }
                }
            }
            (Kind::List, Value::Array(items)) => {
                self.report(path, sized(shape, items.len() as u64, self.limit(name, shape)));
                let Some(member) = &shape.member else { return Ok(()) };
                for (index, item) in items.iter().enumerate() {
                    self.check(item, member, &join(path, &format!("{}.member", index + 1)))?;
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                self.report(path, sized(shape, entries.len() as u64, self.limit(name, shape)));
                let (Some(key_shape), Some(value_shape)) = (&shape.key, &shape.value) else { return Ok(()) };
                for (key, value) in entries {
                    self.check_entry("Map keys", &Value::String(key.clone()), key_shape, path)?;
                    match MODEL.shape(value_shape).kind {
                        Kind::Structure => self.check(value, value_shape, &join(path, &format!("{key}.member")))?,
                        _ => self.check_entry("Map value", value, value_shape, path)?,
                    }
                }
            }
            (Kind::String, Value::String(text)) => {
                let broken = self.text_rules(name, text).into_iter().filter(|rule| !rule.holds).map(|rule| rule.text);
                self.report(path, broken.collect());
            }
            (Kind::Integer, Value::Number(number)) => {
                let value = number.as_i64().and_then(|value| i32::try_from(value).ok());
                self.report(path, ranged(shape, value.ok_or_else(|| wrong_type(shape.kind, path))?));
            }
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => {}
            _ => return Err(wrong_type(shape.kind, path)),
        }
        Ok(())
    }

    /// A map's key or scalar value. If it breaks a rule, the message has all rules and does not name the entry.
    fn check_entry(&mut self, what: &str, value: &Value, name: &str, path: &str) -> Result<(), ApiError> {
        let Value::String(text) = value else {
            if value.is_null() {
                self.report(path, vec![format!("{what} must satisfy constraint: [Member must not be null]")]);
                return Ok(());
            }
            return Err(wrong_type(MODEL.shape(name).kind, path));
        };
        let rules = self.text_rules(name, text);
        if rules.iter().any(|rule| !rule.holds) {
            let rules: Vec<String> = rules.into_iter().map(|rule| rule.text).collect();
            let text = format!("{what} must satisfy constraint: [{}]", rules.join(", "));
            self.report(path, vec![text]);
        }
        Ok(())
    }

    fn text_rules(&self, name: &str, text: &str) -> Vec<Rule> {
        let shape = MODEL.shape(name);
        let length = text.chars().count() as u64;
        let mut rules = length_rules(shape.min, self.limit(name, shape), length);
        if let Some(pattern) = &shape.pattern {
            rules.push(Rule {
                holds: pattern.whole.is_match(text),
                text: format!("Member must satisfy regular expression pattern: {}", pattern.text),
            });
        }
        if !shape.values.is_empty() {
            rules.push(Rule {
                holds: shape.values.iter().any(|value| value == text),
                text: format!("Member must satisfy enum value set: [{}]", shape.values.join(", ")),
            });
        }
        rules
    }

    fn limit(&self, name: &str, shape: &Shape) -> Option<u64> {
        if name == "ActionConfigurationValue" { Some(self.configuration_limit) } else { shape.max }
    }

    fn report(&mut self, path: &str, constraints: Vec<String>) {
        for constraint in constraints {
            self.broken.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }
}

struct Rule {
    holds: bool,
    text: String,
}

fn length_rules(min: Option<u64>, max: Option<u64>, length: u64) -> Vec<Rule> {
    let at_most = max
        .map(|max| Rule { holds: length <= max, text: format!("Member must have length less than or equal to {max}") });
    let at_least = min.map(|min| Rule {
        holds: length >= min,
        text: format!("Member must have length greater than or equal to {min}"),
    });
    at_most.into_iter().chain(at_least).collect()
}

fn sized(shape: &Shape, size: u64, max: Option<u64>) -> Vec<String> {
    length_rules(shape.min, max, size).into_iter().filter(|rule| !rule.holds).map(|rule| rule.text).collect()
}

fn ranged(shape: &Shape, value: i32) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(max) = shape.max.filter(|max| u64::try_from(value).is_ok_and(|value| value > *max)) {
        broken.push(format!("Member must have value less than or equal to {max}"));
    }
    if let Some(min) = shape.min.filter(|min| u64::try_from(value).map_or(true, |value| value < *min)) {
        broken.push(format!("Member must have value greater than or equal to {min}"));
    }
    broken
}

fn wrong_type(kind: Kind, path: &str) -> ApiError {
    let wanted = match kind {
        Kind::Structure | Kind::Map => "an object",
        Kind::List => "a list",
        Kind::String => "a string",
        Kind::Integer => "an integer of 32 bits",
        Kind::Boolean => "a boolean",
        Kind::Timestamp => "a number of seconds since 1970",
    };
    let place = if path.is_empty() { "The request".to_owned() } else { format!("Value at '{path}'") };
    ApiError::new("SerializationException", format!("{place} must be {wanted}"))
}

pub(super) fn join(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(input: &Value, shape: &str) -> String {
        validate(input, shape, 50_000).unwrap_err().message
    }

    #[test]
    fn broken_constraints_are_joined() {
        assert_eq!(
            message(&json!({"jobId": "x", "nonce": ""}), "AcknowledgeJobInput"),
            "2 validation errors detected: Value at 'jobId' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}; Value at 'nonce' failed \
             to satisfy constraint: Member must have length greater than or equal to 1"
        );
    }

    #[test]
    fn long_configuration_value_names_only_its_map() {
        let action = json!({"name": "A", "actionTypeId": {"category": "Odd", "owner": "Custom", "provider": "P", "version": "1"},
            "configuration": {"Key": "s3cret".repeat(200)}});
        let input = json!({"pipeline": {"name": "p", "roleArn": "arn:aws:iam::123456789012:role/r",
            "stages": [{"name": "S", "actions": [action]}]}});
        let text = validate(&input, "CreatePipelineInput", 1000).unwrap_err().message;
        assert!(
            text.contains(
                "Value at 'pipeline.stages.1.member.actions.1.member.configuration' failed to satisfy constraint: Map \
                 value must satisfy constraint: [Member must have length less than or equal to 1000, Member must have \
                 length greater than or equal to 1]"
            ),
            "{text}"
        );
        assert!(text.contains(
            "Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.category' failed to satisfy \
             constraint: Member must satisfy enum value set: [Source, Build, Deploy, Test, Invoke, Approval, Compute]"
        ));
        assert!(!text.contains("s3cret"));
    }

    #[test]
    fn numbers_have_ranges_and_lists_and_maps_have_sizes() {
        let id = json!({"category": "Build", "owner": "Custom", "provider": "P", "version": "1"});
        let poll = |batch: Value, query: Value| json!({"actionTypeId": id, "maxBatchSize": batch, "queryParam": query});
        assert_eq!(
            message(&poll(json!(0), json!({})), "PollForJobsInput"),
            "1 validation error detected: Value at 'maxBatchSize' failed to satisfy constraint: Member must have \
             value greater than or equal to 1"
        );
        assert!(message(&poll(json!(-1), json!({})), "PollForJobsInput").contains("greater than or equal to 1"));
        assert!(
            message(&poll(json!(1), json!({"a": "b", "c": "d"})), "PollForJobsInput")
                .contains("length less than or equal to 1")
        );
        assert!(message(&poll(json!(1), json!({"a": "no spaces"})), "PollForJobsInput").contains("'queryParam'"));
        assert!(validate(&poll(json!(1), json!({"a": "b"})), "PollForJobsInput", 1).is_ok());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let put = |message: String| json!({"jobId": "11111111-aaaa-2222-bbbb-333333333333", "failureDetails": {"type": "JobFailed", "message": message}});
        assert!(validate(&put("ü".repeat(5000)), "PutJobFailureResultInput", 1).is_ok());
        assert!(validate(&put("ü".repeat(5001)), "PutJobFailureResultInput", 1).is_err());
    }

    #[test]
    fn wrong_type_is_a_serialization_error_with_path() {
        let error = validate(&json!({"jobId": 7}), "GetJobDetailsInput", 1).unwrap_err();
        assert_eq!(
            (error.name, error.message.as_str()),
            ("SerializationException", "Value at 'jobId' must be a string")
        );
    }
}
