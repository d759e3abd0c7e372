//! The parameters and permissions of template.yaml.

use std::collections::BTreeSet;

use codepipeline_worker::config::{VARIABLES, Variable};

use super::table::{names, rows};
use super::{assert_same, file, template_file};

const DOCUMENT: &str = "docs/deploying.md";

#[test]
fn parameters_are_in_the_table_with_their_defaults() {
    let rows = rows(DOCUMENT, "parameter");
    let parameters = template_file::parameters();
    assert_same(rows.iter().flat_map(|row| names(&row[0])), parameters.iter().map(|(name, _)| name), DOCUMENT);
    for (name, default) in parameters {
        let row = rows.iter().find(|row| names(&row[0]) == [name.as_str()]).unwrap();
        let documented = if row[1] == "none" { "" } else { row[1].trim_matches('`') };
        assert_eq!(documented, default, "{DOCUMENT} has another default of {name}");
    }
}

#[test]
fn template_sets_variables_that_the_worker_reads() {
    // The name of this one is in ACTIONS.
    let known: BTreeSet<_> = VARIABLES.iter().map(Variable::name).chain(["WEBHOOK_SECRET"]).collect();
    let set = template_file::variables();
    assert!(set.len() > 5, "{set:?}");
    assert!(set.iter().all(|name| known.contains(name.as_str())), "the worker does not read all of {set:?}");
}

#[test]
fn variables_that_the_template_leaves_out_are_named() {
    let text = file(DOCUMENT);
    let sentence = text.split_once("The template sets every variable but ").unwrap().1.split('.').next().unwrap();
    let set = template_file::variables();
    let rest = VARIABLES.iter().map(Variable::name).filter(|name| !set.iter().any(|known| known == name));
    assert_same(names(sentence), rest, DOCUMENT);
}

#[test]
fn permissions_of_the_role_are_in_the_table() {
    assert_same(documented_permissions(), granted(), DOCUMENT);
}

/// What the statements of the role allow.
pub(super) fn granted() -> Vec<String> {
    let (_, role) = template_file::resources("AWS::IAM::Role").remove(0);
    let policies = role.split_once("Policies:").unwrap().1;
    let is_action = |word: &&str| {
        word.split_once(':').is_some_and(|(service, operation)| {
            service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                && operation.starts_with(|c: char| c.is_ascii_uppercase())
                && operation.chars().all(|c| c.is_ascii_alphabetic())
        })
    };
    let code = policies.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(str::split_whitespace).filter(is_action).map(str::to_owned).collect()
}

/// The first permission of a cell names the service, the others mean the same one.
fn documented_permissions() -> Vec<String> {
    let mut permissions = Vec::new();
    for row in rows(DOCUMENT, "permission") {
        let mut service = String::new();
        for name in names(&row[0]) {
            match name.split_once(':') {
                Some((named, _)) => {
                    service = named.to_owned();
                    permissions.push(name);
                }
                None => permissions.push(format!("{service}:{name}")),
            }
        }
    }
    permissions
}
