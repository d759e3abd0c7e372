//! Checks the names of entries as text.
//!
//! The rules are the same for all archives:
//! - `/` separates components. `.`, empty components and a leading `/` are dropped.
//! - `..` and NUL are refused.
//! - A component has at most 255 bytes. A name has at most 4095 bytes and 255 components.
//! - All other bytes are ordinary, whether UTF-8 or not. This includes backslash and colon, as on Linux.
//! - Two names are equal only if their bytes are equal.
//!
//! `unpack/zip/names.rs` decodes a zip's names first.

use super::error::{Problem, shown};

/// The limit for the components of a name. No build's output comes near it. A program that opens a descriptor for each level
/// stays below the usual limit of 1024 open files.
pub(super) const MAX_DEPTH: usize = 255;

/// Turns an entry's name into a path in the folder, by the rules at the top of this file. The folder itself is the empty path.
pub(super) fn entry_path(name: &[u8]) -> Result<Vec<u8>, Problem> {
    let refuse = |what: &str| Err(Problem::Archive(format!("the name of the entry `{}` {what}", shown(name))));
    if name.contains(&0) {
        return refuse("contains a NUL");
    }
    if name.len() > 4095 {
        return refuse("has more than 4095 bytes");
    }
    let mut path = Vec::with_capacity(name.len());
    let mut depth = 0;
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return refuse("contains `..`"),
            long if long.len() > 255 => return refuse("has a component of more than 255 bytes"),
            _ => {}
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(component);
        depth += 1;
        if depth > MAX_DEPTH {
            return refuse(&format!("is nested more than {MAX_DEPTH} folders deep; use fewer nested folders"));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_clean_paths() {
        for (name, path) in [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("./", ""),
            ("a\\b", "a\\b"),
            ("x:y", "x:y"),
            ("...", "..."),
            ("ä/\n", "ä/\n"),
            ("/etc/passwd", "etc/passwd"),
            ("//a", "a"),
            ("/", ""),
        ] {
            assert_eq!(entry_path(name.as_bytes()), Ok(path.as_bytes().to_vec()));
        }
        assert_eq!(entry_path(b"caf\xe9/\xff"), Ok(b"caf\xe9/\xff".to_vec()));
    }

    #[test]
    fn names_are_at_most_255_folders_deep() {
        assert!(entry_path(("d/".repeat(254) + "./f").as_bytes()).is_ok());
        let refused = entry_path(("d/".repeat(2040) + "f").as_bytes()).unwrap_err();
        assert!(refused.to_string().contains("is nested more than 255 folders deep"), "{refused}");
        assert!(entry_path(("d/".repeat(255) + "f").as_bytes()).is_err());
    }

    #[test]
    fn invalid_names_are_refused() {
        let long = "x".repeat(256);
        let deep = "d/".repeat(2100);
        for name in ["..", "a/../b", "a/..", "/..", "a\0b", &long, &deep] {
            assert!(entry_path(name.as_bytes()).is_err(), "{name}");
        }
    }
}
