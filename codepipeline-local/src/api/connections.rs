//! Reads the file of third-party connections. Their action types have the form of `CreateCustomActionType`'s input and are checked by
//! the same rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{create_custom_action_type, read, unknown, validate};
use crate::engine::{Connection, error::ApiError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    let not_a_list = |error: &serde_json::Error| {
        format!("not a JSON list of connections (line {}, column {})", error.line(), error.column())
    };
    let entries: Vec<Value> = serde_json::from_str(text).map_err(|error| not_a_list(&error))?;
    let read = |(index, entry)| connection(entry).map_err(|why| format!("connection {}: {why}", index + 1));
    entries.into_iter().enumerate().map(read).collect()
}

fn connection(entry: Value) -> Result<Connection, String> {
    let wanted = "it has the members clientId, clientToken, actionType, and perhaps pipelines, and no other";
    let entry: Entry = serde_json::from_value(entry).map_err(|_| wanted.to_owned())?;
    let told = |error: ApiError| error.message;
    let client = json!({"clientToken": entry.client_token, "jobId": "-"});
    validate::validate(&client, "GetThirdPartyJobDetailsInput", u64::MAX).map_err(told)?;
    let client = json!({"clientId": entry.client_id});
    validate::validate(&client, "ThirdPartyJob", u64::MAX).map_err(told)?;
    let mut action_type = entry.action_type;
    let Value::Object(members) = &mut action_type else { return Err(wanted.to_owned()) };
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
