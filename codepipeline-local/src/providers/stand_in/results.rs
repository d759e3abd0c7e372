//! The files that a stand-in writes about its run.
//!
//! `OUTPUT_VARIABLES` and `REVISION` have lines `KEY=value`. A value of several lines has the form of GitHub Actions: `KEY<<END`, the
//! lines, and a line `END`. Blank lines and lines that begin with `#` are ignored. `REVISION` has the keys `revision`,
//! `changeIdentifier` and `summary`. `SUMMARY` and `EXTERNAL_EXECUTION_ID` have one line.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::super::{Done, Failed, TaskRevision};

const VARIABLES: &str = "OUTPUT_VARIABLES";
const SUMMARY: &str = "SUMMARY";
const REVISION: &str = "REVISION";
const EXTERNAL_ID: &str = "EXTERNAL_EXECUTION_ID";
/// The names of the files, which are also those of the variables with their paths.
pub(super) const FILES: [&str; 4] = [VARIABLES, SUMMARY, REVISION, EXTERNAL_ID];

/// The longest file, in bytes: twice what all output variables may have (User Guide, "limits").
const LONGEST: u64 = 2 * 122_880;

/// Reads the files of a command that succeeded. A missing file is an empty one.
pub(super) async fn read(folder: &Path) -> Result<Done, Failed> {
    let variables = pairs(VARIABLES, &text(folder, VARIABLES).await?)?;
    let mut revision = pairs(REVISION, &text(folder, REVISION).await?)?;
    let line = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    // As the worker does for a source that is a Git repository.
    let id = revision.remove("revision").or_else(|| variables.get("CommitId").cloned());
    let summary = revision.remove("summary").or_else(|| variables.get("CommitMessage").cloned());
    let revision = id.map(|id| {
        let change_id = revision.remove("changeIdentifier").unwrap_or_else(|| id.clone());
        TaskRevision { id, change_id, summary }
    });
    Ok(Done {
        variables,
        summary: line(text(folder, SUMMARY).await?),
        external_id: line(text(folder, EXTERNAL_ID).await?),
        external_url: None,
        revision,
    })
}

async fn text(folder: &Path, name: &str) -> Result<String, Failed> {
    let file = folder.join(name);
    let failed = |error: io::Error| Failed::job(format!("could not read the file {name}: {error}"));
    match tokio::fs::metadata(&file).await {
        Ok(data) if data.len() > LONGEST => {
            return Err(Failed::job(format!("The file {name} has {} bytes; the limit is {LONGEST}", data.len())));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(failed(error)),
    }
    tokio::fs::read_to_string(&file).await.map_err(failed)
}

/// Reads `KEY=value` lines. An error has the number of the line, and no value.
fn pairs(name: &str, text: &str) -> Result<BTreeMap<String, String>, Failed> {
    let mut pairs = BTreeMap::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| Failed::job(format!("Line {} of the file {name} {why}", index + 1));
        // The first of both decides, as in GitHub Actions.
        let (equals, several) = (line.find('='), line.find("<<"));
        let (key, value) = match (equals, several) {
            (Some(equals), several) if several.is_none_or(|several| equals < several) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(several)) => {
                let end = &line[several + 2..];
                let mut value = Vec::new();
                loop {
                    match lines.next() {
                        Some((_, line)) if line == end => break,
                        Some((_, line)) => value.push(line),
                        None => return Err(wrong(&format!("has no end: no later line is {end:?}"))),
                    }
                }
                (&line[..several], value.join("\n"))
            }
            _ => return Err(wrong("is not KEY=value")),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_');
        if key.is_empty() || !key.chars().all(allowed) {
            return Err(wrong("has a key with other characters than [A-Za-z0-9@_-]"));
        }
        pairs.insert(key.to_owned(), value);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        pairs("FILE", text).map(|pairs| pairs.into_iter().collect()).map_err(|error| error.message)
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn lines_are_pairs_and_values_may_have_several() {
        let text = "# a comment\n\nVersion=1.2=3\r\nNotes<<END\na=b\n\nc\nEND\nEmpty=\n";
        let expected = [pair("Empty", ""), pair("Notes", "a=b\n\nc"), pair("Version", "1.2=3")];
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read("A=x<<y").unwrap(), [pair("A", "x<<y")]);
    }

    #[test]
    fn wrong_line_is_numbered_without_its_value() {
        for (text, named) in [("A=1\nsecret", "Line 2"), ("A<<END\nsecret", "no end"), ("a b=secret", "key")] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named) && !error.contains("secret"), "{error}");
        }
    }
}
