//! Names of entries.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::problem::ArchiveProblem;

/// The longest name, in bytes: Linux's `PATH_MAX`.
const MAX_BYTES: usize = 4096;
/// How deep a name may be.
const MAX_LEVELS: usize = 255;

/// The name of an entry as a relative path without `.`, `..` and empty steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryName(Vec<u8>);

impl EntryName {
    /// Reads a name. `None` is the folder itself, as in `./`. Returns an error if the name would lead out of the
    /// folder, is too long or too deep, or holds a NUL.
    pub(super) fn of(raw: &[u8]) -> Result<Option<Self>, ArchiveProblem> {
        let unsafe_name = |why| ArchiveProblem::Name { name: String::from_utf8_lossy(raw).into_owned(), why };
        if raw.len() > MAX_BYTES {
            let begin = String::from_utf8_lossy(&raw[..64]).into_owned();
            return Err(ArchiveProblem::Name { name: format!("{begin}…"), why: "has more than 4096 bytes" });
        }
        if raw.is_empty() {
            return Err(unsafe_name("is empty"));
        }
        if raw.starts_with(b"/") {
            return Err(unsafe_name("is absolute: pack the archive with relative names"));
        }
        if raw.contains(&0) {
            return Err(unsafe_name("holds a NUL character"));
        }
        let mut steps = Vec::new();
        for step in raw.split(|byte| *byte == b'/') {
            match step {
                b"" | b"." => {}
                b".." => {
                    return Err(unsafe_name(
                        "leads out of the folder with `..`: pack the archive with names inside of it",
                    ));
                }
                _ => steps.push(step),
            }
        }
        if steps.len() > MAX_LEVELS {
            return Err(unsafe_name("has more than 255 levels"));
        }
        Ok((!steps.is_empty()).then(|| Self(steps.join(&b'/'))))
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The names of the folders that hold this entry, from the outermost one.
    pub(super) fn parents(&self) -> impl Iterator<Item = &[u8]> {
        let slashes = self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| &self.0[..at])
    }

    /// The folder with this name, which is one of [`parents`](Self::parents).
    pub(super) fn parent(name: &[u8]) -> Self {
        Self(name.to_vec())
    }
}

impl Borrow<[u8]> for EntryName {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_becomes_a_plain_relative_path() {
        for (raw, plain) in [
            ("a.txt", Some("a.txt")),
            ("./a//b/./c", Some("a/b/c")),
            ("a/b/", Some("a/b")),
            ("...", Some("...")),
            ("a\\..\\b", Some("a\\..\\b")),
            ("./", None),
            (".", None),
        ] {
            let name = EntryName::of(raw.as_bytes()).unwrap();
            assert_eq!(name.as_ref().map(EntryName::path), plain.map(Path::new), "{raw}");
        }
    }

    #[test]
    fn name_that_leaves_the_folder_is_refused() {
        let deep = "a/".repeat(MAX_LEVELS + 1);
        let long = "a".repeat(MAX_BYTES + 1);
        for (raw, named) in [
            ("../a", "`..`"),
            ("a/../../b", "`..`"),
            ("a/..", "`..`"),
            ("..", "`..`"),
            ("/etc/passwd", "absolute"),
            ("//a", "absolute"),
            ("", "empty"),
            ("a\0b", "NUL"),
            (deep.as_str(), "255 levels"),
            (long.as_str(), "4096 bytes"),
        ] {
            let error = EntryName::of(raw.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(named), "{raw}: {error}");
        }
    }

    #[test]
    fn parents_begin_at_the_outermost_folder() {
        let name = EntryName::of(b"a/b/c").unwrap().unwrap();
        assert_eq!(name.parents().collect::<Vec<_>>(), [&b"a"[..], b"a/b"]);
    }
}
