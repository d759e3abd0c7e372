//! The permissions of the role, compared with the operations that the code calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::source::product_files;

use super::template::granted;
use super::{assert_same, code, root};

/// The folders whose clients use the function's role. Clients of `src/artifacts` use the credentials of a job. The only ones that use
/// the role there read the artifacts that a state machine names.
const OWN: [&str; 4] = ["src/actions/command/role", "src/actions/state_machine", "src/ledger", "src/queue"];
const OF_JOBS: &str = "src/artifacts";

/// The calls that make a client, and how many files have one.
const MAKE_CLIENTS: [&str; 2] = ["Client::from_conf(", "Client::new("];
const FILES_WITH_CLIENTS: usize = 6;

/// Services that Lambda itself calls with the function's role: for logs, the VPC, dead letters and their key.
const OF_LAMBDA: [&str; 4] = ["ec2", "kms", "logs", "sqs"];

/// Operations whose permission has another name.
const OTHER_NAMES: [(&str, &str); 2] = [("DeleteObjects", "DeleteObject"), ("ListObjectsV2", "ListBucket")];

#[test]
fn role_allows_the_called_operations_and_no_others() {
    let other_names = BTreeMap::from(OTHER_NAMES);
    let mut called: BTreeSet<String> = BTreeSet::new();
    for folder in OWN {
        let operations = operations(&code(folder));
        assert!(!operations.is_empty(), "{folder} calls no operation");
        called.extend(operations.iter().map(|it| (*other_names.get(it.as_str()).unwrap_or(&it.as_str())).to_owned()));
    }
    // A session with tags needs both.
    assert!(code(OWN[0]).contains("set_tags("), "the session of a role has no tags");
    called.insert("TagSession".into());
    let allowed = granted().into_iter().filter_map(|permission| {
        let (service, operation) = permission.split_once(':').unwrap();
        (!OF_LAMBDA.contains(&service)).then(|| operation.to_owned())
    });
    assert_same(allowed, called, "template.yaml");
}

#[test]
fn clients_are_in_the_known_folders() {
    let mut found = 0;
    for file in product_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
        if text.contains("aws_sdk_") && MAKE_CLIENTS.iter().any(|call| text.contains(call)) {
            let is_known = OWN.iter().chain([&OF_JOBS]).any(|folder| path.starts_with(folder));
            assert!(is_known, "{path} makes a client: add its folder to this test");
            found += 1;
        }
    }
    assert_eq!(found, FILES_WITH_CLIENTS, "files that make a client");
}

/// The operations that clients are asked for: the method after `client` or `client()`, in upper camel case.
fn operations(code: &str) -> BTreeSet<String> {
    let text: String = code.split_whitespace().collect();
    let after = |start: &str| text.split(start).skip(1).map(str::to_owned).collect::<Vec<_>>();
    let calls = [after("client."), after("client().")].concat();
    let method = |rest: &String| rest.split_once("()").map(|(name, _)| name.to_owned());
    let is_name = |name: &String| name.contains('_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    calls.iter().filter_map(method).filter(is_name).map(|name| camel_case(&name)).collect()
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}
