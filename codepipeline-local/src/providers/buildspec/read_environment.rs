//! Reads the environment of a build specification: its shell and variables.

use super::Environment;
use super::environment::{Value, is_name};
use super::members::{Mistake, Place};
use super::secret::Reference;
use crate::providers::shell::Shell;

const ENVIRONMENT: [&str; 6] =
    ["shell", "variables", "parameter-store", "exported-variables", "secrets-manager", "git-credential-helper"];
/// The members of `environment_variables`, which is what version 0.1 calls `env`.
const OLD_ENVIRONMENT: [&str; 2] = ["plaintext", "parameter-store"];

/// Reads `env`.
pub(super) fn environment(place: &Place<'_>, notes: &mut Vec<String>) -> Result<Environment, Mistake> {
    let mut environment = Environment::default();
    for (name, place) in place.known_members(&ENVIRONMENT, notes)? {
        match name {
            "shell" => environment.shell = shell(&place)?,
            "variables" => variables(&place, &mut environment, notes, Value::Plain)?,
            "parameter-store" => {
                parameters(&place, &mut environment, notes)?;
            }
            "secrets-manager" => {
                refuse_empty(&place)?;
                variables(&place, &mut environment, notes, |name| Value::Secret(Reference::Secret(name)))?;
            }
            "exported-variables" => environment.exported = exported(&place)?,
            _ => notes.push(format!("{place} is ignored: Git uses the credentials of this machine")),
        }
    }
    Ok(environment)
}

/// Reads `environment_variables` of version 0.1.
pub(super) fn old_environment(place: &Place<'_>, notes: &mut Vec<String>) -> Result<Environment, Mistake> {
    let mut environment = Environment::default();
    for (name, place) in place.known_members(&OLD_ENVIRONMENT, notes)? {
        match name {
            "plaintext" => variables(&place, &mut environment, notes, Value::Plain)?,
            _ => parameters(&place, &mut environment, notes)?,
        }
    }
    Ok(environment)
}

fn shell(place: &Place<'_>) -> Result<Shell, Mistake> {
    match place.text()?.as_str() {
        "bash" | "/bin/bash" => Ok(Shell::Bash),
        "sh" | "/bin/sh" => Ok(Shell::Sh),
        "powershell.exe" | "cmd.exe" => {
            Err(place.mistake("is a shell of Windows, which does not run here: write bash or /bin/sh"))
        }
        _ => Err(place.mistake("is unknown: write bash or /bin/sh")),
    }
}

fn parameters(place: &Place<'_>, environment: &mut Environment, notes: &mut Vec<String>) -> Result<(), Mistake> {
    refuse_empty(place)?;
    variables(place, environment, notes, |name| Value::Secret(Reference::Parameter(name)))
}

/// Refuses variables without the name of a parameter or a secret.
fn refuse_empty(place: &Place<'_>) -> Result<(), Mistake> {
    for (_, named) in place.members()? {
        if named.text()?.trim().is_empty() {
            return Err(named.mistake("is empty: write the name of a parameter or a secret"));
        }
    }
    Ok(())
}

fn variables(
    place: &Place<'_>,
    environment: &mut Environment,
    notes: &mut Vec<String>,
    value: impl Fn(String) -> Value,
) -> Result<(), Mistake> {
    for (name, place) in place.members()? {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(place.mistake("is not a name of a variable: use letters, digits and _"));
        }
        if name.starts_with("CODEBUILD_") {
            notes.push(format!("{place} is ignored: CodeBuild reserves names that begin with CODEBUILD_"));
            continue;
        }
        environment.variables.insert(name.to_owned(), value(place.text()?));
    }
    Ok(())
}

fn exported(place: &Place<'_>) -> Result<Vec<String>, Mistake> {
    let names = place.texts()?;
    match names.iter().find(|name| !is_name(name)) {
        Some(wrong) => {
            Err(place.mistake(format!("names {wrong:?}, which is not a variable: use letters, digits and _")))
        }
        None => Ok(names),
    }
}
