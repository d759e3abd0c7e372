//! The variables of the function, and the members of `ACTIONS`.

use codepipeline_worker::config::{Config, Environment, VARIABLES, Variable};

use super::table::{first_column, names, rows};
use super::{assert_same, code};

const DOCUMENT: &str = "docs/configuration.md";

#[test]
fn variables_are_in_the_table_with_their_defaults() {
    let rows = rows(DOCUMENT, "variable");
    assert_same(rows.iter().flat_map(|row| names(&row[0])), VARIABLES.iter().map(Variable::name), DOCUMENT);
    for (row, variable) in rows.iter().zip(&VARIABLES) {
        let name = variable.name();
        assert_eq!(names(&row[0]), [name], "{DOCUMENT} has the variables in another order");
        match variable {
            Variable::Number(number) => assert_eq!(read_number(&row[1]), Some(number.default), "{name}"),
            Variable::Flag(flag) => assert_eq!(names(&row[1]), [flag.default.to_string()], "{name}"),
            Variable::Text(text) if text.default.is_empty() => assert_eq!(row[1], "none", "{name}"),
            Variable::Text(text) => assert_eq!(names(&row[1]), [text.default], "{name}"),
        }
    }
}

/// `100,000` or `64 MiB`.
fn read_number(cell: &str) -> Option<u64> {
    let (digits, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let factor = match unit {
        "" => 1,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    Some(digits.replace(',', "").parse::<u64>().ok()? * factor)
}

#[test]
fn members_of_an_entry_are_those_that_the_parser_knows() {
    assert_same(first_column(DOCUMENT, "member"), known_members(r#"[{"unknown": 1}]"#, "ACTIONS[0]"), DOCUMENT);
}

#[test]
fn kinds_are_those_that_the_parser_knows() {
    let known = known_members(r#"[{"run": {"unknown": 1}}]"#, "ACTIONS[0].run");
    assert_same(first_column(DOCUMENT, "kind"), known, DOCUMENT);
}

#[test]
fn members_of_an_http_entry_are_those_that_the_parser_knows() {
    let document = "docs/actions/http.md";
    let known = known_members(r#"[{"run": {"http": {"unknown": 1}}}]"#, "ACTIONS[0].run.http");
    assert_same(first_column(document, "member of `run.http`"), known, document);
}

/// The members that an error lists after one that it does not know.
fn known_members(actions: &str, path: &str) -> Vec<String> {
    let environment: Environment = [("ACTIONS", actions)].into_iter().collect();
    let error = Config::from_variables(&environment).err().unwrap().to_string();
    let start = format!("{path}: has no member 'unknown'; it has ");
    let (_, list) = error.split_once(&start).unwrap_or_else(|| panic!("{error} does not say what {path} has"));
    list.split(';').next().unwrap().split(", ").map(str::to_owned).collect()
}

#[test]
fn variables_of_a_command_are_those_that_it_gets() {
    let document = "docs/actions/command.md";
    let files = ["environment.rs", "report_files.rs"].map(|file| code(&format!("src/actions/command/{file}")));
    let is_variable = |text: &&str| text.len() > 3 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let literals = files.iter().flat_map(|code| code.split('"').skip(1).step_by(2)).filter(is_variable);
    // These begin the names of variables, or end them.
    let fixed = literals.filter(|name| !["INPUT", "OUTPUT", "CONFIG", "_REVISION"].contains(name));
    let documented = first_column(document, "variable").into_iter().filter(|name| !name.contains('<'));
    assert_same(documented, fixed, document);
}
