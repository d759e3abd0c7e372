//! `LEDGER_BUCKET`, and the members of an entry of `ACTIONS` that concern the ledger.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::plain::filled;
use super::variables::LEDGER_BUCKET;
use crate::actions::{Kind, OnCrash};
use crate::settings::{Environment, Problems};

const BUCKET_RULE: &str = "must be the name of an S3 bucket: 3 to 63 of [a-z0-9.-], a letter or digit at both ends, no two dots \
    in a row, no IP address, and nothing that S3 reserves (such as the prefix xn-- or the suffix -s3alias)";

/// Names that S3 reserves ("General purpose bucket naming rules", S3 User Guide), and names of directory and table buckets. These
/// buckets lack the conditional writes that the ledger needs.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

pub(super) fn bucket(environment: &Environment, problems: &mut Problems) -> Option<String> {
    let name = filled(environment, LEDGER_BUCKET.name, problems)?;
    if !is_bucket_name(name) {
        problems.add(LEDGER_BUCKET.name, BUCKET_RULE);
    }
    Some(name.to_owned())
}

fn is_bucket_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| plain(*byte) || b".-".contains(byte))
        && bytes.first().is_some_and(|byte| plain(*byte))
        && bytes.last().is_some_and(|byte| plain(*byte))
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|reserved| name.starts_with(reserved))
        && !RESERVED_SUFFIXES.iter().any(|reserved| name.ends_with(reserved))
}

/// `onCrash`, or the default of the entry's kind, which may be unknown because of another mistake.
pub(super) fn on_crash(
    entry: &Map<String, Value>,
    kind: Option<&Kind>,
    path: &str,
    problems: &mut Problems,
) -> OnCrash {
    match entry.get("onCrash").map(Value::as_str) {
        Some(Some("fail")) => return OnCrash::Fail,
        Some(Some("run")) => return OnCrash::Run,
        Some(_) => problems.add(format_args!("{path}.onCrash"), "must be one of fail, run"),
        None => {}
    }
    kind.map_or(OnCrash::Fail, |kind| kind.on_crash)
}

/// `shared`. CloudFormation passes a parameter as a string, so `"true"` is valid too.
pub(super) fn shared(entry: &Map<String, Value>, path: &str, problems: &mut Problems) -> bool {
    match entry.get("shared") {
        None => return false,
        Some(Value::Bool(shared)) => return *shared,
        Some(Value::String(text)) if text == "true" => return true,
        Some(Value::String(text)) if text == "false" => return false,
        Some(_) => problems.add(format_args!("{path}.shared"), "must be true or false"),
    }
    false
}
