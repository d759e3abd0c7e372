//! The names of entries, checked as text.
//!
//! The rules are the same for all archives. `/` separates. `.` and empty components are dropped, and so is a leading `/`. `..`
//! and NUL are refused. A component has at most 255 bytes, a name at most 4095 bytes and 255 components. All other bytes
//! are ordinary, UTF-8 or not. A backslash and a colon are ordinary, too, as they are on Linux. Names
//! differ when their bytes do. `unpack/zip/names.rs` decodes a zip's names first.

use super::error::{Problem, shown};

/// How many components a name may have. No build's output comes near, and a program that removes a tree with a
/// descriptor for each level stays below the usual limit of 1024 open files.
pub(super) const DEEPEST: usize = 255;

/// The name of an entry as a path below the folder, by the rules at the top of this file; empty for the folder itself.
pub(super) fn entry_path(name: &[u8]) -> Result<Vec<u8>, Problem> {
    let refuse = |what: &str| Err(Problem::Archive(format!("the name of the entry `{}` {what}", shown(name))));
    if name.contains(&0) {
        return refuse("has a NUL in it");
    }
    if name.len() > 4095 {
        return refuse("has more than 4095 bytes");
    }
    let mut path = Vec::with_capacity(name.len());
    let mut depth = 0;
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return refuse("climbs with `..`"),
            long if long.len() > 255 => return refuse("has a part of more than 255 bytes"),
            _ => {}
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(component);
        depth += 1;
        if depth > DEEPEST {
            return refuse(&format!("is more than {DEEPEST} folders deep; make the tree flatter"));
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
        assert!(refused.to_string().contains("is more than 255 folders deep"), "{refused}");
        assert!(entry_path(("d/".repeat(255) + "f").as_bytes()).is_err());
    }

    #[test]
    fn names_that_lead_out_or_mean_nothing_here_are_refused() {
        let long = "x".repeat(256);
        let deep = "d/".repeat(2100);
        for name in ["..", "a/../b", "a/..", "/..", "a\0b", &long, &deep] {
            assert!(entry_path(name.as_bytes()).is_err(), "{name}");
        }
    }
}
