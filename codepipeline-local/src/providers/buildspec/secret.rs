//! References to secrets, which `--secret KEY=ENV` gives.

use serde_json::Value;

use crate::quoted::in_quotes;

/// Where the value of a variable is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The name of a parameter in Parameter Store.
    Parameter(String),
    /// A secret in Secrets Manager, as `secret-id:json-key:version-stage:version-id`. All but the first part are optional.
    Secret(String),
}

/// Why a variable has no value. The message names the flag to type, and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missing {
    #[error(
        "the variable {variable} needs the {kind} {key}: add {}, where ENV is the name of an environment variable that holds its value",
        self.flag()
    )]
    Value { variable: String, kind: &'static str, key: String },
    #[error(
        "the variable {variable} needs the member {member} of the secret {id}, but the value of {} is not a JSON object with this text: \
         add {} with the value of the member alone",
        flag(id),
        self.flag()
    )]
    Member { variable: String, id: String, member: String },
}

impl Missing {
    /// The flag to type.
    pub(crate) fn flag(&self) -> String {
        match self {
            Self::Value { key, .. } => flag(key),
            Self::Member { id, member, .. } => flag(&format!("{id}:{member}")),
        }
    }
}

fn flag(key: &str) -> String {
    format!("--secret {}", in_quotes(&format!("{key}=ENV")))
}

impl Reference {
    /// Whether the key has a variable of the pipeline, whose value is not known before a run.
    pub(crate) fn is_open(&self) -> bool {
        let (Self::Parameter(text) | Self::Secret(text)) = self;
        text.contains("#{")
    }

    /// The value for this variable. `find` returns what a `--secret` flag gives for a key.
    pub(crate) fn resolve(&self, variable: &str, find: impl Fn(&str) -> Option<String>) -> Result<String, Missing> {
        let missing = |kind, key: &str| Missing::Value { variable: variable.to_owned(), kind, key: key.to_owned() };
        match self {
            Self::Parameter(name) => find(name).ok_or_else(|| missing("parameter", name)),
            Self::Secret(reference) => {
                let (id, member) = parts(reference);
                let whole = member.map_or_else(|| id.to_owned(), |member| format!("{id}:{member}"));
                if let Some(value) = find(reference).or_else(|| find(&whole)) {
                    return Ok(value);
                }
                let (Some(member), Some(object)) = (member, find(id)) else { return Err(missing("secret", &whole)) };
                member_of(&object, member).ok_or_else(|| Missing::Member {
                    variable: variable.to_owned(),
                    id: id.to_owned(),
                    member: member.to_owned(),
                })
            }
        }
    }
}

/// The id and the JSON key of a reference. The version is the one that the flag gives.
fn parts(reference: &str) -> (&str, Option<&str>) {
    // An ARN has six colons of its own: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME.
    let own = if reference.starts_with("arn:") { 6 } else { 0 };
    let Some((end, _)) = reference.match_indices(':').nth(own) else { return (reference, None) };
    let member = reference[end + 1..].split(':').next().filter(|member| !member.is_empty());
    (&reference[..end], member)
}

fn member_of(object: &str, member: &str) -> Option<String> {
    let object: Value = serde_json::from_str(object).ok()?;
    match object.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        simple => Some(simple.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Test-AbCdEf";

    fn find(key: &str) -> Option<String> {
        let value = match key {
            "/CodeBuild/password" => "plain",
            "Test" | ARN => r#"{"USER": "u", "PORT": 5432, "LIST": []}"#,
            "Test:TOKEN" => "t",
            "Text" => "not JSON",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn reference_is_resolved() {
        let secret = |text: &str| Reference::Secret(text.to_owned());
        for (reference, value) in [
            (Reference::Parameter("/CodeBuild/password".to_owned()), "plain"),
            (secret("Text"), "not JSON"),
            (secret("Test:USER"), "u"),
            (secret("Test:USER:AWSCURRENT"), "u"),
            (secret("Test:PORT::0123"), "5432"),
            (secret("Test:TOKEN:AWSCURRENT"), "t"),
            (secret("Text::AWSPREVIOUS"), "not JSON"),
            (secret(&format!("{ARN}:USER")), "u"),
        ] {
            assert_eq!(reference.resolve("V", find), Ok(value.to_owned()), "{reference:?}");
        }
    }

    #[test]
    fn missing_secret_names_the_flag_to_type() {
        for (reference, flag) in [
            (Reference::Parameter("/a/b".to_owned()), "the parameter /a/b: add --secret '/a/b=ENV'"),
            (Reference::Secret("Other".to_owned()), "the secret Other: add --secret 'Other=ENV'"),
            (Reference::Secret("Other:K:AWSCURRENT".to_owned()), "the secret Other:K: add --secret 'Other:K=ENV'"),
            (Reference::Secret("Test:LIST".to_owned()), "add --secret 'Test:LIST=ENV'"),
            (Reference::Secret("Text:K".to_owned()), "add --secret 'Text:K=ENV'"),
        ] {
            let missing = reference.resolve("V", find).unwrap_err().to_string();
            assert!(missing.contains("the variable V needs") && missing.contains(flag), "{missing}");
            assert!(!missing.contains("not JSON\""), "{missing}");
        }
    }
}
