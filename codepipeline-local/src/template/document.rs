//! Reads a file as YAML or JSON.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::problem::Problem;
use crate::yaml::{self, MAX_BYTES, Node, Repeated, Unreadable};

/// Reads the file, without the notes about it.
pub(super) fn read(file: &Path) -> Result<Node, Problem> {
    read_with_notes(file).map(|(root, _)| root)
}

/// Reads the file. JSON has no lines, but takes every escape that YAML does not have. The last value of a repeated key counts, as in
/// CloudFormation. In YAML, a note names the key.
pub(super) fn read_with_notes(file: &Path) -> Result<(Node, Vec<Problem>), Problem> {
    let text = read_text(file)?;
    let problem = |unreadable: Unreadable| Problem::of_file(file, unreadable.line, unreadable.why);
    let named_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if named_json {
        return yaml::read_json(&text).map(|root| (root, Vec::new())).map_err(problem);
    }
    if text.trim_start().starts_with('{')
        && let Ok(root) = yaml::read_json(&text)
    {
        return Ok((root, Vec::new()));
    }
    let (root, repeated) = yaml::read_last_values(&text).map_err(problem)?;
    let note = |Repeated { key, line }: Repeated| {
        let message = format!("the key {} appears twice, and the last value counts", key.escape_debug());
        Problem::of_file(file, Some(line), message)
    };
    Ok((root, repeated.into_iter().map(note).collect()))
}

/// The advice for a pipe, a device or standard input, whose end may never come.
const FROM_A_PIPE: &str = "a pipeline is read from a regular file: write it into one, as in \
                           aws codepipeline get-pipeline --name NAME > pipeline.json, and name that file";

/// Reads a regular file that is not longer than a document may be.
pub(super) fn read_text(file: &Path) -> Result<String, Problem> {
    let problem = |message: String| Problem::of_file(file, None, message);
    let could_not = |error: std::io::Error| {
        problem(match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::IsADirectory => "is a folder; name a file in it".to_owned(),
            _ => format!("could not be read: {error}"),
        })
    };
    if file == Path::new("-") && !file.exists() {
        return Err(problem(FROM_A_PIPE.to_owned()));
    }
    let found = file.metadata().map_err(could_not)?;
    if !found.is_file() && !found.is_dir() {
        return Err(problem(format!("is not a regular file; {FROM_A_PIPE}")));
    }
    let mut bytes = Vec::new();
    // One byte more shows that the file is too long.
    let limit = MAX_BYTES as u64 + 1;
    File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes)).map_err(could_not)?;
    if bytes.len() > MAX_BYTES {
        return Err(problem(format!("has more than {MAX_BYTES} bytes, and no template is so long")));
    }
    decoded(bytes).ok_or_else(|| problem("is not a text in UTF-8 or UTF-16".to_owned()))
}

/// The text in UTF-8, or in the UTF-16 that PowerShell's `>` writes. A byte order mark is left out.
fn decoded(bytes: Vec<u8>) -> Option<String> {
    if let Some(units) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let (pairs, rest) = units.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().copied().map(u16::from_le_bytes).collect();
        return rest.is_empty().then(|| String::from_utf16(&units).ok())?;
    }
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read_as(name: &str, content: &[u8]) -> Result<Node, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        read(&file).map_err(|problem| problem.to_string().replace(&file.display().to_string(), name))
    }

    #[test]
    fn name_or_content_decides_between_json_and_yaml() {
        for (name, text) in
            [("a.json", "{\"a\": \"\\ud83d\\ude00\"}"), ("a.template", " {\"a\": 1}"), ("a.yaml", "{a: 1}")]
        {
            assert!(read_as(name, text.as_bytes()).unwrap().get("a").is_some(), "{name}");
        }
    }

    #[test]
    fn files_of_powershell_are_read() {
        let text = "{\"a\": \"\u{e9}\"}";
        let utf_16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for content in [utf_16, format!("\u{feff}{text}").into_bytes()] {
            for name in ["a.json", "a.yaml"] {
                assert_eq!(read_as(name, &content).unwrap().get("a").unwrap().text(), Some("\u{e9}"), "{name}");
            }
        }
    }

    #[test]
    fn repeated_key_is_noted_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "Type: String\nDefault: a\nDefault: b\n").unwrap();
        let (root, notes) = read_with_notes(&file).unwrap();
        assert_eq!(root.get("Default").unwrap().text(), Some("b"));
        let noted = format!("{}:3: the key Default appears twice, and the last value counts", file.display());
        assert_eq!(notes.iter().map(ToString::to_string).collect::<Vec<_>>(), [noted]);
    }

    #[test]
    fn unreadable_file_is_named_with_its_line() {
        let wrong = |name: &str, content: &[u8]| read_as(name, content).err().unwrap();
        assert!(wrong("a.json", b"{\n\"a\": }").starts_with("a.json:2: is not valid JSON, at column"));
        assert!(wrong("a.yaml", b"a: b\nc: [d\n").starts_with("a.yaml:3: is not valid YAML: "));
        for bytes in [&[0xff][..], &[0xff, 0xfe, 0x7b], &[0xff, 0xfe, 0x00, 0xd8]] {
            assert_eq!(wrong("a.yaml", bytes), "a.yaml: is not a text in UTF-8 or UTF-16");
        }
        assert!(wrong("a.yaml", &vec![b' '; MAX_BYTES + 1]).contains("has more than"));
    }

    #[test]
    fn missing_file_and_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let message = |file: &Path| read(file).err().unwrap().message;
        assert_eq!(message(&folder.path().join("absent")), "there is no such file");
        assert_eq!(message(folder.path()), "is a folder; name a file in it");
    }
}
