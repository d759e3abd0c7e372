//! Signs requests to other emulators (IAM User Guide, "Create a signed AWS API request").
//!
//! The keys are placeholders. Emulators check no signature, and some look for one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::dates::iso_seconds;
use crate::types::Timestamp;

const ACCESS_KEY: &str = "test";
const SECRET_KEY: &str = "test";

/// The scope of a signature.
pub(super) struct Scope<'a> {
    pub(super) now: Timestamp,
    pub(super) region: &'a str,
    /// The service's name in signatures.
    pub(super) service: &'a str,
}

/// The headers of a signature.
pub(super) struct Signed {
    /// `x-amz-date`.
    pub(super) date: String,
    /// `Authorization`.
    pub(super) header: String,
}

/// Signs a POST without a query. `headers` are the others that are signed, with names in lower case and in order.
pub(super) fn authorization(scope: &Scope<'_>, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Signed {
    let date = iso_seconds(scope.now).replace(['-', ':'], "");
    let mut all = headers.to_vec();
    all.push(("x-amz-date", &date));
    all.sort_unstable();
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = all.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
    let day = &date[..8];
    let Scope { region, service, .. } = scope;
    let place = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{place}\n{}", hex(&Sha256::digest(canonical)));
    let signature = hex(&mac(&key(SECRET_KEY, (day, region, service)), text.as_bytes()));
    let header =
        format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{place}, SignedHeaders={names}, Signature={signature}");
    Signed { date, header }
}

fn key(secret: &str, (day, region, service): (&str, &str, &str)) -> Vec<u8> {
    let steps = [day, region, service, "aws4_request"];
    steps.iter().fold(format!("AWS4{secret}").into_bytes(), |key, step| mac(&key, step.as_bytes()))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // An HMAC's key may have any length, so this has a result.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the key (AWS General Reference, "Examples of how to derive a signing key for Signature Version 4").
    #[test]
    fn key_is_that_of_the_documented_example() {
        let key = key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ("20150830", "us-east-1", "iam"));
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn signature_covers_the_headers_and_the_body() {
        let scope = Scope { now: Timestamp(1_800_000_000_000), region: "eu-west-1", service: "states" };
        let headers =
            [("content-type", "application/x-amz-json-1.0"), ("host", "localhost:1"), ("x-amz-target", "A.B")];
        let signed = authorization(&scope, "/", &headers, b"{}");
        assert_eq!(signed.date, "20270115T080000Z");
        let begin = "AWS4-HMAC-SHA256 Credential=test/20270115/eu-west-1/states/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=";
        let signature = signed.header.strip_prefix(begin).unwrap();
        assert_eq!(signature.len(), 64);
        let others = [
            authorization(&scope, "/", &headers, b"[]"),
            authorization(&scope, "/a", &headers, b"{}"),
            authorization(&scope, "/", &headers[..2], b"{}"),
        ];
        for other in others {
            assert!(!other.header.ends_with(signature), "{}", other.header);
        }
    }
}
