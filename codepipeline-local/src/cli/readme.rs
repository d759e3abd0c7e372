//! Holds the tables in README.md against the flags that clap knows.

use clap::{Arg, CommandFactory};

use super::Arguments;
use crate::faults::FaultKind;

const README: &str = include_str!("../../README.md");

/// The table of the flags under one heading of a command's `--help`.
fn table(flags: &[&Arg]) -> String {
    let rows = flags.iter().map(|flag| row(flag)).collect::<String>();
    format!("| flag | meaning | default |\n|---|---|---|\n{rows}")
}

fn row(flag: &Arg) -> String {
    let help = flag.get_help().expect("each flag has a help text").to_string().replace('\n', " ").replace('*', "\\*");
    let (meaning, default) = match help.strip_suffix(']').and_then(|help| help.split_once(" [default: ")) {
        Some((meaning, default)) => (meaning.to_owned(), default.to_owned()),
        None if !flag.get_action().takes_values() => (help, String::new()),
        None => (help, flag.get_default_values().join(" ".as_ref()).to_string_lossy().into_owned()),
    };
    let value = if flag.get_action().takes_values() { format!(" {}", value(flag)) } else { String::new() };
    format!("| `--{}{value}` | {meaning} | {default} |\n", flag.get_long().expect("each flag has a long name"))
}

fn value(flag: &Arg) -> String {
    let values = flag.get_possible_values();
    if values.is_empty() {
        return flag.get_value_names().unwrap_or_default().join(" ").replace('|', "\\|");
    }
    values.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>().join("\\|")
}

/// The sections of a command's flags that README.md lacks. Flags without a heading of their own are in the section `first`.
fn missing(command: &str, first: &str) -> String {
    let mut arguments = Arguments::command();
    arguments.build();
    let command = arguments.find_subcommand(command).unwrap();
    let is_shown = |flag: &&Arg| !flag.is_hide_set() && !flag.is_positional() && flag.get_id() != "help";
    let shown: Vec<&Arg> = command.get_arguments().filter(is_shown).collect();
    let mut headings: Vec<Option<&str>> = shown.iter().map(|flag| flag.get_help_heading()).collect();
    headings.sort_unstable();
    headings.dedup();
    let mut missing = String::new();
    for heading in headings {
        let flags: Vec<&Arg> = shown.iter().filter(|flag| flag.get_help_heading() == heading).copied().collect();
        let section = format!("### {}\n\n{}", heading.unwrap_or(first), table(&flags));
        if !README.contains(&section) {
            missing += &format!("{section}\n");
        }
    }
    missing
}

#[test]
fn readme_has_every_flag() {
    let missing = missing("serve", "The emulator") + &missing("run", "Flags of `run`");
    assert!(missing.is_empty(), "README.md lacks these sections; copy them from here:\n\n{missing}");
}

#[test]
fn readme_has_every_kind_of_fault() {
    let mut command = Arguments::command();
    let flags = command.find_subcommand_mut("serve").unwrap().get_arguments();
    let help = flags.filter(|flag| flag.get_id() == "faults").find_map(Arg::get_help).unwrap().to_string();
    let (kinds, _) = help.split_once("KIND is ").and_then(|(_, rest)| rest.split_once(". ")).unwrap();
    let words = kinds.split([' ', ',']).map(|word| word.split('=').next().unwrap_or(word));
    let known: Vec<&str> = words
        .filter(|word| format!("{word}=1").parse::<FaultKind>().is_ok() || word.parse::<FaultKind>().is_ok())
        .collect();
    let (_, table) = README.split_once("| kind |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let listed: Vec<&str> = table.lines().filter_map(|row| row.split('`').nth(1)).collect();
    for kind in &listed {
        assert!(kind.parse::<FaultKind>().is_ok(), "{kind}");
    }
    let names: Vec<&str> = listed.iter().map(|kind| kind.split('=').next().unwrap_or(kind)).collect();
    assert_eq!(names, known);
}
