//! The parameters and permissions of template.yaml.

use std::collections::BTreeSet;

use codepipeline_worker::config::{Config, VARIABLES, Variable};

use super::table::{first_column, names, rows};
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

/// The elements of ACTIONS stand in lines of their own, as JSON with parameters.
#[test]
fn worker_takes_every_element_of_actions() {
    const SAMPLES: [(&str, &str); 8] = [
        ("StateMachineArn", "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout"),
        ("WebhookUrl", "https://checks.example.com/jobs"),
        ("ThirdPartyProvider", "Partner"),
        ("ThirdPartyProgram", "partner"),
        ("PreviousActionVersion", "1"),
        ("WebhookPreviousActionVersion", "1"),
        ("TimeoutSeconds", r#","timeoutSeconds":"60""#),
        ("Role", r#","role":"arn:aws:iam::111122223333:role/deploy""#),
    ];
    let samples = SAMPLES.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parameters: Vec<_> = samples.into_iter().chain(template_file::parameters()).collect();
    let (_, block) = template_file::resources("AWS::Serverless::Function").remove(0);
    let elements: Vec<_> = block.lines().filter(|line| line.contains(r#"{"actionType""#)).map(quoted).collect();
    let filled = elements.iter().map(|element| {
        parameters.iter().fold(element.clone(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    });
    let actions = filled.collect::<String>();
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let variables = [
        ("ACTIONS", format!("[{actions}]")),
        ("CLIENT_TOKENS_SECRET", "clients/".into()),
        ("WEBHOOK_SECRET", key.into()),
    ];
    let environment = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let config = Config::from_variables(&environment).unwrap_or_else(|error| panic!("{error}: {actions}"));
    assert_eq!(config.actions.len(), elements.len(), "{actions}");
}

/// The text between the first and the last quote of a line.
fn quoted(line: &str) -> String {
    line[line.find('\'').unwrap() + 1..line.rfind('\'').unwrap()].to_owned()
}

#[test]
fn generator_knows_the_members_of_an_entry() {
    let text = file("deploy/generator/mistakes.py");
    let list = text.split_once("\nACTION = [").unwrap().1.split(']').next().unwrap();
    let known: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    for member in first_column("docs/configuration.md", "member") {
        assert!(known.contains(&member.as_str()), "deploy/generator/mistakes.py does not know the member {member}");
    }
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
