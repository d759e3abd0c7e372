//! The signature that Standard Webhooks prescribes
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::Webhook;

use super::HttpMistake;

const PREFIX: &str = "whsec_";

/// Signs messages with one key, or with several while a key is being replaced.
pub(super) struct Signer(Vec<Webhook>);

impl Signer {
    /// Reads keys in the form of Standard Webhooks, separated by white space.
    pub(super) fn parse(secret: &SecretString) -> Result<Self, HttpMistake> {
        let keys: Option<Vec<Webhook>> = secret.expose_secret().split_whitespace().map(key).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self).ok_or(HttpMistake::Secret)
    }

    /// The value of `webhook-signature`: one signature by each key.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let sign = |key: &Webhook| key.sign(id, seconds, body.as_bytes()).expect("only a body that isn't UTF-8 fails");
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

/// The specification requires keys of 24 to 64 random bytes.
fn key(text: &str) -> Option<Webhook> {
    let bytes = BASE64_STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    if !(24..=64).contains(&bytes.len()) {
        return None;
    }
    Webhook::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(secret: &str) -> Result<Signer, HttpMistake> {
        Signer::parse(&secret.into())
    }

    /// Computed with Python: `hmac.new(b64decode(key), b"<id>.<seconds>.<body>", sha256)`.
    #[test]
    fn a_signature_is_what_others_compute() {
        let signer = parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").ok().unwrap();
        let signature = signer.sign("start_11111111-abcd", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,y2Mpv2rJYjex3HgkWI9rBtKbj6qsRrVbJsowSFLo5OY=");
    }

    #[test]
    fn each_of_several_keys_signs() {
        let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let sign = |secret: &str| parse(secret).ok().unwrap().sign("id", 1, "{}");
        assert_eq!(sign(&format!("{old}\n{new}")), format!("{} {}", sign(old), sign(new)));
    }

    #[test]
    fn a_secret_that_is_no_key_is_refused_and_not_repeated() {
        let short = BASE64_STANDARD.encode([7; 23]);
        let long = BASE64_STANDARD.encode([7; 65]);
        for secret in [
            "",
            " ",
            "hunter2",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_hunter2!",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw hunter2",
            &format!("whsec_{short}"),
            &format!("whsec_{long}"),
        ] {
            let mistake = parse(secret).err().unwrap();
            assert_eq!(mistake, HttpMistake::Secret, "{secret}");
            assert!(!mistake.to_string().contains("hunter2"));
        }
        assert!(parse(&format!("whsec_{}", BASE64_STANDARD.encode([7; 24]))).is_ok());
        assert!(parse(&format!("whsec_{}", BASE64_STANDARD.encode([7; 64]))).is_ok());
    }
}
