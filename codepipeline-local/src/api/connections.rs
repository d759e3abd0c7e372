//! Reads the file of third-party connections. Their action types have the form of `CreateCustomActionType`'s input and are checked by
//! the same rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{create_custom_action_type, read, unknown, validate};
use crate::engine::{Connection, error::ApiError};

const REQUIRED: [&str; 3] = ["clientId", "clientToken", "actionType"];
const OPTIONAL: &str = "pipelines";
const WRONG_TYPE: &str = "a member has the wrong type: clientId and clientToken are strings, actionType is an object, pipelines is a \
                          list of strings";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    client_id: String,
    client_token: String,
    action_type: Value,
    pipelines: Option<Vec<String>>,
}

/// Reads a list such as
///
/// ```json
/// [{"clientId": "11111111-2222-4333-8444-555555555555", "clientToken": "a-secret",
///   "actionType": {"category": "Deploy", "provider": "Partner", "version": "1",
///                  "configurationProperties": [{"name": "Project", "required": true, "key": true, "secret": false}]},
///   "pipelines": ["web"]}]
/// ```
///
/// The action type may omit the artifacts' counts (0 to 5 by default) and the properties. A connection without `pipelines` serves those that
/// no other connection names. The error names the entry and the broken rule, and never contains a token.
pub fn read_connections(text: &str) -> Result<Vec<Connection>, String> {
    let not_json = |error: &serde_json::Error| {
        if error.is_eof() {
            return "is not valid JSON: it ends too early".to_owned();
        }
        format!("is not valid JSON (line {}, column {})", error.line(), error.column())
    };
    let Value::Array(entries) = serde_json::from_str(text).map_err(|error| not_json(&error))? else {
        return Err("must be a JSON list: put the connection between [ and ]".to_owned());
    };
    let read = |(index, entry)| connection(entry).map_err(|why| format!("connection {}: {why}", index + 1));
    entries.into_iter().enumerate().map(read).collect()
}

fn connection(entry: Value) -> Result<Connection, String> {
    if let Some(mistake) = wrong_members(&entry) {
        return Err(format!("{mistake} It has clientId, clientToken, actionType and, if needed, pipelines"));
    }
    let entry: Entry = serde_json::from_value(entry).map_err(|_| WRONG_TYPE.to_owned())?;
    let told = |error: ApiError| error.message;
    let client = json!({"clientToken": entry.client_token, "jobId": "-"});
    validate::validate(&client, "GetThirdPartyJobDetailsInput", u64::MAX).map_err(told)?;
    let client = json!({"clientId": entry.client_id});
    validate::validate(&client, "ThirdPartyJob", u64::MAX).map_err(told)?;
    let mut action_type = entry.action_type;
    let Value::Object(members) = &mut action_type else { return Err(WRONG_TYPE.to_owned()) };
    for counts in ["inputArtifactDetails", "outputArtifactDetails"] {
        members.entry(counts).or_insert(json!({"minimumCount": 0, "maximumCount": 5}));
    }
    validate::strip_nulls(&mut action_type);
    unknown::refuse("CreateCustomActionType", &action_type)
        .map_err(|error| format!("actionType: {}", error.message))?;
    validate::validate(&action_type, "CreateCustomActionTypeInput", u64::MAX)
        .map_err(|error| format!("actionType: {}", error.message))?;
    let input: create_custom_action_type::Input = read(action_type).map_err(told)?;
    Ok(Connection {
        client_id: entry.client_id,
        client_token: entry.client_token,
        action_type: input.action_type("ThirdParty"),
        pipelines: entry.pipelines,
    })
}

/// Names the first member that is unknown or missing. Shows no value, because one is a token. Shows an unknown name only if it is
/// almost a known one, because a user may have put the token in the place of a name.
fn wrong_members(entry: &Value) -> Option<String> {
    let Some(members) = entry.as_object() else { return Some("must be a JSON object.".to_owned()) };
    let known = || REQUIRED.into_iter().chain([OPTIONAL]);
    if let Some(member) = members.keys().find(|member| !known().any(|known| known == *member)) {
        return Some(match unknown::nearest(member, known()) {
            Some(known) => format!("has no member \"{}\"; did you mean \"{known}\"?", member.escape_debug()),
            None => "has an unknown member.".to_owned(),
        });
    }
    let missing = REQUIRED.into_iter().find(|member| !members.contains_key(*member))?;
    Some(format!("lacks the member \"{missing}\"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        read_connections(text).err().unwrap()
    }

    #[test]
    fn misspelt_member_is_named_with_a_hint() {
        assert_eq!(
            mistake(r#"[{"actiontype": {}, "clientId": "a", "clientToken": "b"}]"#),
            "connection 1: has no member \"actiontype\"; did you mean \"actionType\"? It has clientId, clientToken, actionType and, if \
             needed, pipelines"
        );
        assert!(
            mistake(r#"[{"a-secret": "clientToken"}]"#)
                .starts_with("connection 1: has an unknown member. It has clientId")
        );
        assert!(
            mistake(r#"[{"clientId": "a", "clientToken": "b"}]"#).contains("lacks the member \"actionType\". It has")
        );
        assert!(mistake("[7]").contains("connection 1: must be a JSON object. It has"));
        assert!(
            mistake(r#"[{"clientId": 7, "clientToken": "b", "actionType": {}}]"#)
                .contains("clientId and clientToken are strings")
        );
    }

    #[test]
    fn wrong_shape_differs_from_wrong_syntax() {
        assert_eq!(mistake(r#"{"a": 1}"#), "must be a JSON list: put the connection between [ and ]");
        assert_eq!(mistake("[{]"), "is not valid JSON (line 1, column 3)");
        assert_eq!(mistake("[{\n"), "is not valid JSON: it ends too early");
    }
}
