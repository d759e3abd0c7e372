//! The kind `http`, and how its part of an entry of `ACTIONS` is read.

use std::time::Duration;

use secrecy::SecretString;
use thiserror::Error;

use super::HttpAction;
use super::address::Address;
use super::clock::{Clock, system_clock};
use super::signature::Signer;
use crate::actions::OnCrash;
use crate::actions::kind::{Configured, Kind, Part};
use crate::actions::outside::{check_turn, overall};
use crate::settings::whole_seconds;

const DEFAULT_REQUEST_SECONDS: u64 = 30;
const LONGEST_REQUEST_SECONDS: u64 = 120;

/// A service gets the same message with the same id again after a worker death, so the job runs again.
pub(crate) const KIND: Kind =
    Kind { name: "http", runs_alone: false, on_crash: OnCrash::Run, own_members: &[], end_of_work: None, parse };

/// The service, and how to talk to it.
pub struct HttpSettings {
    /// Where jobs are posted: `https`, or `http` to this machine. A URL may be logged anywhere, so it has no placeholders: the
    /// service finds the action's configuration in the message.
    pub url: String,
    /// The key for signatures: `whsec_` and the base64 of 24 to 64 random bytes. Each of several keys, separated by white space,
    /// signs every message, so that a key can be replaced without a gap.
    pub secret: SecretString,
    /// How long one request may take, from connecting to the end of the response.
    pub request_timeout: Duration,
    /// The clock for the time in signatures: [`system_clock`].
    pub clock: Clock,
}

/// Why settings describe no service. No setting is repeated.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HttpMistake {
    /// The URL can't be parsed, or has another scheme.
    #[error("the URL must be a whole one, such as https://example.com/jobs")]
    NotAUrl,
    /// `http` to another machine.
    #[error(
        "the URL must begin with https://; http:// is for services on this machine only (localhost, 127.0.0.1, [::1])"
    )]
    Insecure,
    /// A user name or a password.
    #[error("the URL has a user name or password in it; messages are signed, which is what the service should check")]
    User,
    /// `#…`.
    #[error("the URL has a part after `#`, which is never sent; leave it out")]
    Fragment,
    /// `{Config:…}`.
    #[error("the URL has a placeholder in it; each message has the action's configuration in its body instead")]
    Placeholder,
    /// Not a key.
    #[error(
        "the webhook secret must be `whsec_` followed by the base64 of 24 to 64 bytes (make one: echo whsec_$(openssl rand \
         -base64 32)); two, separated by a space, sign with both"
    )]
    Secret,
    /// A timeout of 0 s.
    #[error("the request timeout must be longer than 0 s")]
    NoTime,
}

fn parse(part: &mut Part<'_>) -> Option<Configured> {
    let overall = overall(part);
    let Some(members) = part.value.as_object() else {
        part.mistake("", "must be an object with url and secretVariable");
        return None;
    };
    part.only_known(members, &["url", "secretVariable", "requestTimeoutSeconds"]);
    let request = whole_seconds(members.get("requestTimeoutSeconds"), DEFAULT_REQUEST_SECONDS)
        .filter(|seconds| (1..=LONGEST_REQUEST_SECONDS).contains(seconds));
    if request.is_none() {
        let rule = format_args!("must be a whole number from 1 to {LONGEST_REQUEST_SECONDS}");
        part.mistake(".requestTimeoutSeconds", rule);
    }
    let secret = secret(members.get("secretVariable").and_then(|name| name.as_str()), part);
    let url = url(members.get("url").and_then(|url| url.as_str()), part);
    let request_timeout = Duration::from_secs(request.unwrap_or(DEFAULT_REQUEST_SECONDS));
    // Two tries that take their whole time, and their pauses.
    let turn = request_timeout * 2 + Duration::from_secs(10);
    check_turn(turn, Some("requestTimeoutSeconds"), part);
    let settings = HttpSettings { url: url?, secret: secret?, request_timeout, clock: system_clock };
    let action = HttpAction::new(settings).map_err(|mistake| part.mistake("", mistake)).ok()?;
    Some(Configured { overall, ..Configured::new(turn, |_| action) })
}

fn url(url: Option<&str>, part: &mut Part<'_>) -> Option<String> {
    let Some(url) = url else {
        part.mistake(".url", "must be a string: the URL that jobs are POSTed to");
        return None;
    };
    Address::parse(url).map_err(|mistake| part.mistake(".url", mistake)).ok()?;
    Some(url.to_owned())
}

/// The key of the signatures, from the variable that `secretVariable` names.
fn secret(name: Option<&str>, part: &mut Part<'_>) -> Option<SecretString> {
    let Some(name) = name.filter(|name| is_variable_name(name)) else {
        let rule =
            "must be the name of the environment variable that holds the key (whsec_…) of the webhooks' signature";
        part.mistake(".secretVariable", rule);
        return None;
    };
    let Some(secret) = part.variable(name) else {
        part.mistake(".secretVariable", format_args!("names the variable {name}, which is not set"));
        return None;
    };
    let secret = SecretString::from(secret);
    // The mistake is in the variable, so the variable is its place.
    Signer::parse(&secret).map_err(|mistake| part.problems.add(name, mistake)).ok()?;
    Some(secret)
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::actions::kind::tests::Sample;

    const VARIABLES: &[(&str, &str)] = &[("KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), ("SHORT", "hunter22")];

    fn sample(value: Value) -> Sample<'static> {
        Sample { variables: VARIABLES, ..Sample::of(value) }
    }

    #[test]
    fn turn_has_time_for_two_tries() {
        let service = json!({"url": "https://x.example", "secretVariable": "KEY", "requestTimeoutSeconds": 20});
        let sample = Sample { timeout: Some(json!(7200)), ..sample(service) };
        let configured = sample.parse(&KIND).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((configured.turn.as_secs(), configured.overall.as_secs()), (50, 7200));
    }

    #[test]
    fn every_member_has_its_rule() {
        for (value, rule) in [
            (json!("https://x.example"), "part: must be an object with url and secretVariable"),
            (
                json!({"url": "https://x.example", "secretVariable": "UNSET"}),
                "names the variable UNSET, which is not set",
            ),
            (json!({"url": "https://x.example"}), "part.secretVariable: must be the name"),
            (json!({"url": 1, "secretVariable": "KEY"}), "part.url: must be a string"),
            (json!({"url": "http://x.example", "secretVariable": "KEY"}), "part.url: the URL must begin with https://"),
            (json!({"url": "https://x.example", "secretVariable": "SHORT"}), "SHORT: the webhook secret must be"),
            (json!({"url": "https://x.example", "secretVariable": "KEY", "retries": 1}), "has no member 'retries'"),
            (json!({"requestTimeoutSeconds": 121}), "part.requestTimeoutSeconds: must be a whole number from 1 to 120"),
        ] {
            let message = sample(value).mistakes(&KIND);
            assert!(message.contains(rule) && !message.contains("hunter22"), "'{rule}' is missing in: {message}");
        }
    }
}
