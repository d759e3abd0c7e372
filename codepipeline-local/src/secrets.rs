//! `GetSecretValue` of Secrets Manager, for the client tokens of third-party connections. A partner's worker keeps each client's token in
//! its own secret, whose name ends with the client's id. The emulator has a secret for each connection.

use http::{Response, StatusCode};
use s3s::Body;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::engine::error::ApiError;
use crate::reply::json_reply;

/// The one operation that the emulator has.
pub(crate) const OPERATION: &str = "GetSecretValue";

/// The stage of the current version (Secrets Manager User Guide, "What's in a Secrets Manager secret?").
const CURRENT: &str = "AWSCURRENT";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

/// Answers a request for Secrets Manager.
pub(crate) fn answer(engine: &Engine, operation: &str, body: &[u8]) -> Response<Body> {
    let (status, body) = match value(engine, operation, body) {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::BAD_REQUEST, json!({"__type": error.name, "message": error.message})),
    };
    json_reply(status, body.to_string().into_bytes())
}

fn value(engine: &Engine, operation: &str, body: &[u8]) -> Result<Value, ApiError> {
    if operation != OPERATION {
        let shown: String = operation.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let message = format!(
            "codepipeline-local has no {shown}: of Secrets Manager it has {OPERATION} alone, for the client tokens of its \
             connections. Start it with --endpoint secretsmanager=http://HOST:PORT to forward these requests"
        );
        return Err(ApiError::new("NotImplementedException", message));
    }
    let input: Input = serde_json::from_slice(body).map_err(|_| {
        ApiError::new("SerializationException", "The request is not a JSON object with strings as members".to_owned())
    })?;
    let secret_id = input.secret_id.filter(|id| !id.is_empty()).ok_or_else(|| {
        let message = "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null";
        ApiError::new("ValidationException", message.to_owned())
    })?;
    let not_found = |what: &str| {
        let message = format!("Secrets Manager can't find the specified secret{what}.");
        ApiError::new("ResourceNotFoundException", message)
    };
    let (name, client_id, token) = find(engine, &secret_id).ok_or_else(|| not_found(""))?;
    let version = version(client_id);
    if let Some(stage) = input.version_stage.filter(|stage| stage != CURRENT) {
        return Err(not_found(&format!(" value for staging label: {stage}")));
    }
    if let Some(other) = input.version_id.filter(|id| *id != version) {
        return Err(not_found(&format!(" value for VersionId: {other}")));
    }
    Ok(json!({
        "ARN": arn(engine, name),
        "Name": name,
        "VersionId": version,
        "SecretString": token,
        "VersionStages": [CURRENT],
    }))
}

/// Finds the secret's name, its client's id and the token. `secret_id` is a name or an ARN. An ARN may lack its last six characters
/// (Secrets Manager API Reference, "GetSecretValue").
fn find<'a>(engine: &'a Engine, secret_id: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let names: [Option<&str>; 2] = match secret_id.strip_prefix("arn:").and_then(|arn| arn.split_once(":secret:")) {
        Some((_, name)) => [Some(name), name.rsplit_once('-').filter(|(_, end)| end.len() == 6).map(|(name, _)| name)],
        None => [Some(secret_id), None],
    };
    names.into_iter().flatten().find_map(|name| {
        let (client_id, token) = engine.client_tokens().find(|(client_id, _)| name.ends_with(client_id))?;
        Some((name, client_id, token))
    })
}

fn arn(engine: &Engine, name: &str) -> String {
    let (region, account) = (&engine.settings.region, &engine.settings.account_id);
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{}", &hex(name)[..6])
}

/// The version's id: a UUID that stays the same as long as the emulator has the client.
fn version(client_id: &str) -> String {
    let hex = hex(client_id);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::read_connections;
    use crate::engine::Settings;

    const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

    fn asked(operation: &str, input: &Value) -> Result<Value, (String, String)> {
        let connections = json!([{
            "clientId": CLIENT, "clientToken": "MARKER-token", "actionType": {"category": "Test", "provider": "Partner", "version": "1"},
        }]);
        let mut engine = Engine::new(Settings::default(), 0);
        engine.connect(read_connections(&connections.to_string()).unwrap()).unwrap();
        value(&engine, operation, input.to_string().as_bytes()).map_err(|error| (error.name.to_string(), error.message))
    }

    #[test]
    fn secret_named_after_a_client_holds_its_token() {
        let by_name = asked(OPERATION, &json!({"SecretId": format!("clients/{CLIENT}")})).unwrap();
        assert_eq!(by_name["SecretString"], "MARKER-token");
        assert_eq!(by_name["Name"], format!("clients/{CLIENT}"));
        let (arn, version) = (by_name["ARN"].clone(), by_name["VersionId"].clone());
        assert_eq!(
            asked(OPERATION, &json!({"SecretId": arn, "VersionStage": CURRENT, "VersionId": version})),
            Ok(by_name)
        );
        let partial = arn.as_str().unwrap().rsplit_once('-').unwrap().0;
        assert_eq!(asked(OPERATION, &json!({"SecretId": partial})).unwrap()["SecretString"], "MARKER-token");
        assert_eq!(version.as_str().unwrap().split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }

    #[test]
    fn other_requests_are_refused_without_a_token() {
        let secret = format!("clients/{CLIENT}");
        for (operation, input, name, named) in [
            (OPERATION, json!({"SecretId": "clients/other"}), "ResourceNotFoundException", "specified secret."),
            (OPERATION, json!({"SecretId": format!("{secret}x")}), "ResourceNotFoundException", "specified secret."),
            (
                OPERATION,
                json!({"SecretId": secret, "VersionStage": "AWSPREVIOUS"}),
                "ResourceNotFoundException",
                "AWSPREVIOUS",
            ),
            (OPERATION, json!({"SecretId": secret, "VersionId": "x"}), "ResourceNotFoundException", "VersionId: x"),
            (OPERATION, json!({}), "ValidationException", "secretId"),
            (OPERATION, json!({"SecretId": 7}), "SerializationException", "JSON"),
            (OPERATION, json!("MARKER"), "SerializationException", "JSON"),
            ("CreateSecret", json!({"Name": "a"}), "NotImplementedException", "CreateSecret"),
        ] {
            let (code, message) = asked(operation, &input).unwrap_err();
            assert_eq!(code, name, "{input}");
            assert!(message.contains(named) && !message.contains("MARKER"), "{message}");
        }
    }
}
