//! Runs in a network whose programs use a proxy.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use serde_json::json;

use super::{action, commands, folder, program, terminate};

#[test]
fn programs_call_the_emulator_without_a_proxy() {
    let show = "echo \"direct $NO_PROXY $no_proxy $http_proxy\"";
    let mut make = commands("Make", &[show]);
    make["environmentVariables"] = json!([{"name": "NO_PROXY", "value": "own.example"}]);
    let folder = folder(&[
        make,
        action("Ship", "Deploy/AWS/ECS/1", &json!({})),
        action("Tell", "Invoke/AWS/Lambda/1", &json!({"configuration": {"FunctionName": "tell"}})),
        action("Own", "Test/Custom/Shell/1", &json!({})),
    ]);
    let (stand_in, function) = (format!("Deploy/AWS/ECS/1={show}"), format!("tell=sh -c '{show}; exec sleep 600'"));
    let worker = format!("sh -c '{show}; exec sleep 600'");
    let flags = ["--source", "App=app", "--provider", &stand_in, "--function", &function, "--worker", &worker];
    let mut command = program(folder.path(), &[&flags[..], &["--env", "no_proxy=given.example"]].concat());
    command.env("http_proxy", "http://127.0.0.1:9").env("NO_PROXY", "user.example").env_remove("no_proxy");
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut wanted: BTreeMap<_, _> =
        [("[Make]", "own"), ("[Ship]", "user"), ("[tell]", "given"), ("[sh]", "given")].into();
    for line in lines {
        let Some((name, shown)) = line.split_once(" direct ") else { continue };
        let Some(more) = wanted.remove(name) else { continue };
        let lists: Vec<&str> = shown.split(' ').collect();
        assert_eq!(lists[0], lists[1], "{line}");
        let hosts: Vec<&str> = lists[0].split(',').collect();
        let all =
            [format!("{more}.example"), "user.example".to_owned(), "127.0.0.1".to_owned(), "localhost".to_owned()];
        assert!(all.iter().all(|host| hosts.contains(&host.as_str())), "{line}");
        assert!(name == "[tell]" || lists[2] == "http://127.0.0.1:9", "{line}");
        if wanted.is_empty() {
            break;
        }
    }
    assert!(wanted.is_empty(), "no line came from {wanted:?}");
    terminate(&child);
    child.wait().unwrap();
}
