//! The programs that a command finds, compared with the packages of the image and of the layer.

use std::collections::BTreeSet;

use super::table::{names, rows};
use super::{assert_same, file};

const DOCUMENT: &str = "docs/tools.md";

/// The packages that rows name whose column says that the program is there.
fn packages_of(column: usize) -> BTreeSet<String> {
    let there = rows(DOCUMENT, "command").into_iter().filter(|row| row[column] != "no");
    let sources = there.filter_map(|row| row[4].split_once("package").map(|(_, packages)| packages.to_owned()));
    let packages = sources.flat_map(|text| {
        text.trim_start_matches('s').split(", ").map(|name| name.trim().to_owned()).collect::<Vec<_>>()
    });
    packages.collect()
}

#[test]
fn table_names_the_packages_of_the_image() {
    let text = file("image/Dockerfile");
    let installed = text.split("install_weak_deps=0 \\\n").nth(1).and_then(|rest| rest.split("&&").next()).unwrap();
    assert_same(packages_of(2), installed.split([' ', '\\', '\n']).filter(|word| !word.is_empty()), DOCUMENT);
}

#[test]
fn table_names_the_packages_of_the_layer() {
    let text = file("layer/build");
    let built = text.split("\npackages=(").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    assert_same(packages_of(3), built.split(' '), DOCUMENT);
}

/// The actions that README and the guide to deploying show run where they deploy: in the runtime, without a layer.
#[test]
fn commands_of_the_first_actions_are_in_the_runtime() {
    let there = rows(DOCUMENT, "command").into_iter().filter(|row| row[1].starts_with("yes"));
    let there: BTreeSet<_> = there.flat_map(|row| names(&row[0])).collect();
    let mut found = 0;
    for document in ["README.md", "docs/deploying.md", "examples/pipeline.yaml"] {
        let text = file(document);
        let values = text.split("\"Command\": \"").skip(1).filter_map(|rest| rest.split('"').next());
        let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("Command: "));
        let runs = text.split("pipefail, -c, '").skip(1).filter_map(|rest| rest.split('\'').next());
        for command in values.chain(lines).chain(runs) {
            for program in
                command.trim_matches('\'').split(['|', ';', '&']).filter_map(|part| part.split_whitespace().next())
            {
                assert!(there.contains(program), "{document}: {program} is not in the runtime, as {DOCUMENT} says");
                found += 1;
            }
        }
    }
    assert!(found > 0, "no document shows a command");
}
