//! Text from services, from commands and from the ledger. The first byte selects the reader:
//! - `t`: continuation tokens
//! - `h`: the http action's tokens inside them
//! - `l`: locations
//! - `r`: responses of services
//! - `v`: output variables of commands
//! - `c`: revisions of commands
//! - `e`: entries of the ledger
//! - `w`: reports in the ledger's entries
#![no_main]

use codepipeline_worker::actions::{command, http};
use codepipeline_worker::job::ActionTypeId;
use codepipeline_worker::{ledger, lifecycle};
use libfuzzer_sys::fuzz_target;

/// The value in dictionaries and seeds that no message may repeat.
const SECRET: &str = "correct-horse-battery";
const SERVICE: &str = "https://service.example:8443/jobs?key=1";

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = std::str::from_utf8(rest);
    match (kind, text) {
        (b't', Ok(text)) => token(text),
        (b'h', Ok(text)) => match http::fuzzing::token(SERVICE, text) {
            Ok([first, second]) => assert_eq!(first, second),
            Err(message) => silent(&message),
        },
        (b'l', Ok(text)) => location(text),
        (b'r', _) => {
            http::fuzzing::reply(rest).into_iter().filter_map(Result::err).for_each(|message| silent(&message))
        }
        (b'v', _) => variables(rest),
        (b'c', _) => revision(rest),
        (b'e', _) => match ledger::fuzzing::is_the_same_again(rest) {
            Ok(same) => assert!(same),
            Err(why) => silent(&why.to_string()),
        },
        (b'w', Ok(text)) => {
            let [first, second] = lifecycle::fuzzing::wills(text);
            assert_eq!(first, second);
        }
        _ => {}
    }
});

fn silent(message: &str) {
    assert!(!message.contains(SECRET) && message.len() < 600 && !message.contains(char::is_control), "{message:?}");
}

fn token(text: &str) {
    let [category, owner, provider, version] = ["Test", "Custom", "LinkCheck", "1"].map(str::to_owned);
    let action_type = ActionTypeId { category, owner, provider, version };
    match lifecycle::fuzzing::open_and_seal_and_open(text, &action_type) {
        Ok([first, second]) => assert_eq!(first, second),
        Err(failure) => silent(&failure.message),
    }
}

fn location(text: &str) {
    match http::fuzzing::location(SERVICE, text) {
        // The worker sends the configuration and links to artifacts to this URL.
        Ok(location) => {
            let rest = location.strip_prefix("https://service.example");
            let rest = rest.unwrap_or_else(|| panic!("requests would go to {location:?}"));
            assert!(rest.starts_with(['/', ':']), "requests would go to {location:?}");
            assert!(location.len() <= 1000 && location.is_ascii(), "{location:?}");
        }
        Err(rule) => silent(&rule),
    }
}

fn variables(bytes: &[u8]) {
    match command::fuzzing::variables(bytes) {
        Ok(variables) => {
            let total: usize = variables.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!(total <= 122_880, "{total}");
            for (key, value) in &variables {
                assert!(
                    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "@-_".contains(c)),
                    "{key:?}"
                );
                assert!(!value.contains('\0'), "{key:?}");
            }
        }
        Err(message) => silent(&message),
    }
}

fn revision(bytes: &[u8]) {
    match command::fuzzing::revision(bytes) {
        Ok(None) => {}
        Ok(Some((revision, change_identifier))) => {
            assert!((1..=1500).contains(&revision.chars().count()), "{revision:?}");
            assert!((1..=100).contains(&change_identifier.chars().count()), "{change_identifier:?}");
        }
        Err(message) => silent(&message),
    }
}
