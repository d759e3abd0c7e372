//! The text of a client-token secret.

use secrecy::SecretString;
use serde_json::Value;

/// The token in a secret's text: the text itself without surrounding white space, or the member `clientToken` of a JSON
/// object, which Secrets Manager's console stores. `None` if the token does not have 1 to 256 characters (API model,
/// `ClientToken`).
pub(super) fn client_token(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let token = match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members.get("clientToken")?.as_str()?.trim().to_owned(),
        _ => text.to_owned(),
    };
    (1..=256).contains(&token.chars().count()).then(|| token.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::client_token;

    #[test]
    fn secret_is_the_token_or_a_json_object_with_it() {
        let long = "x".repeat(257);
        for (text, expected) in [
            ("token", Some("token")),
            (" token\n", Some("token")),
            ("12345", Some("12345")),
            (r#"{"clientToken": "token", "note": "of Ada"}"#, Some("token")),
            (r#"{"token": "token"}"#, None),
            (r#"{"clientToken": 7}"#, None),
            ("  ", None),
            (&long, None),
        ] {
            let found = client_token(text);
            assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), expected, "{text}");
        }
    }
}
