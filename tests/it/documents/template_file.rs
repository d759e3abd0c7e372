//! template.yaml, read line by line, which needs no YAML library.

use super::file;

/// A parameter: its name and its default.
pub(super) fn parameters() -> Vec<(String, String)> {
    let members = members(&section("Parameters:"), "  ");
    members.into_iter().map(|(name, body)| (name, value(&body, "Default").unwrap_or_default())).collect()
}

/// A resource of one type: its name and its lines.
pub(super) fn resources(type_name: &str) -> Vec<(String, String)> {
    let all = members(&section("Resources:"), "  ");
    all.into_iter().filter(|(_, body)| value(body, "Type").is_some_and(|found| found == type_name)).collect()
}

/// The names of the variables that the template sets.
pub(super) fn variables() -> Vec<String> {
    let (_, function) = resources("AWS::Serverless::Function").remove(0);
    let text = function.split_once("        Variables:\n").unwrap().1;
    let block: String =
        text.lines().take_while(|line| line.starts_with("          ")).map(|line| format!("{line}\n")).collect();
    members(&block, "          ").into_iter().map(|(name, _)| name).collect()
}

/// The value of the first member `key` in these lines.
pub(super) fn value(lines: &str, key: &str) -> Option<String> {
    let start = format!("{key}: ");
    let line = lines.lines().find_map(|line| line.trim_start().strip_prefix(&start))?;
    Some(line.trim_matches('"').to_owned())
}

fn section(name: &str) -> String {
    let text = file("template.yaml");
    let after = text.split_once(&format!("\n{name}\n")).unwrap().1;
    after.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).map(|line| format!("{line}\n")).collect()
}

/// The members at one depth, each with the lines below it.
fn members(lines: &str, indent: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in lines.lines() {
        let member = line.strip_prefix(indent).filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        match member.and_then(|rest| rest.split_once(':')) {
            Some((name, _)) => found.push((name.to_owned(), String::new())),
            None => found.iter_mut().last().into_iter().for_each(|(_, body)| *body += &format!("{line}\n")),
        }
    }
    found
}
