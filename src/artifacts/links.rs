//! The symbolic links of an archive, recorded until every file exists. They are data: the worker follows none on the disk.

use std::collections::BTreeMap;

use rustix::fs::Timespec;

use super::error::{Problem, shown};

/// The kernel's limit for a target: PATH_MAX without the terminating NUL.
pub(super) const MAX_TARGET_BYTES: usize = 4095;
/// The limit for all paths and targets together. They stay in memory until the links are created. 100 000 links may have 335
/// bytes each on average.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The kernel's limit for the links in one path.
const MAX_HOPS: usize = 40;

/// The content of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: Vec<u8>,
    pub(super) modified: Option<Timespec>,
}

/// The links of one artifact, by path.
#[derive(Default)]
pub(super) struct Links {
    all: BTreeMap<Vec<u8>, Link>,
    bytes: usize,
}

/// The links need more memory than [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl TooMuch {
    /// The message. It follows the name of the archive.
    pub(super) const TEXT: &str =
        "has links whose names and targets have more than 32 MiB together; use fewer or shorter links";
}

impl Links {
    /// Adds a link. Replaces the one at this path.
    pub(super) fn insert(&mut self, path: Vec<u8>, link: Link) -> Result<(), TooMuch> {
        self.remove(&path);
        self.bytes += path.len() + link.target.len();
        if self.bytes > MAX_BYTES {
            return Err(TooMuch);
        }
        self.all.insert(path, link);
        Ok(())
    }

    pub(super) fn get(&self, path: &[u8]) -> Option<&Link> {
        self.all.get(path)
    }

    /// Removes the link at this path. Returns whether there was one.
    pub(super) fn remove(&mut self, path: &[u8]) -> bool {
        let Some(link) = self.all.remove(path) else { return false };
        self.bytes -= path.len() + link.target.len();
        true
    }

    /// Whether the folder `path` has a link in it, at any depth.
    pub(super) fn has_any_below(&self, path: &[u8]) -> bool {
        let below = [path, b"/"].concat();
        self.all.range(below.clone()..).next().is_some_and(|(first, _)| first.starts_with(&below))
    }

    /// The links, sorted by path.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = (Vec<u8>, Link)> {
        self.all.into_iter()
    }

    /// The path that `path` leads to through the links of earlier entries. Returns `None` if it goes through no link. Like GNU
    /// tar, follows only relative links without `..`.
    ///
    /// # Errors
    /// Returns an error if the path goes through another link, or through too many links.
    pub(super) fn resolved(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        if self.all.is_empty() {
            return Ok(None);
        }
        let refuse = |link: &[u8], target: &[u8]| {
            let (path, link, target) = (shown(path), shown(link), shown(target));
            Err(Problem::Archive(format!(
                "the path of the entry `{path}` goes through `{link}`, which an earlier entry made a link to `{target}`"
            )))
        };
        let mut pending: Vec<&[u8]> = path.rsplit(|byte| *byte == b'/').collect();
        let mut reached = Vec::new();
        let mut passed = Vec::new();
        while let Some(name) = pending.pop() {
            let before = reached.len();
            if before > 0 {
                reached.push(b'/');
            }
            reached.extend_from_slice(name);
            // The last name is the entry itself, which replaces a link.
            if pending.is_empty() {
                break;
            }
            let Some(link) = self.all.get(&reached) else { continue };
            let mut names = link.target.rsplit(|byte| *byte == b'/');
            if link.target.starts_with(b"/") || names.any(|name| name == b"..") || passed.len() >= MAX_HOPS {
                return refuse(&reached, &link.target);
            }
            passed.push(reached.clone());
            reached.truncate(before);
            let names = link.target.rsplit(|byte| *byte == b'/');
            pending.extend(names.filter(|name| !matches!(*name, b"" | b".")));
        }
        // The entry would replace a link in its own path.
        if let Some(link) = passed.iter().find(|link| **link == reached) {
            return refuse(link, link);
        }
        Ok((!passed.is_empty()).then_some(reached))
    }
}

/// Checks that the kernel accepts a link's target.
pub(super) fn checked_target(path: &[u8], target: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let refuse = |what: &str| Err(Problem::Archive(format!("the link `{}` {what}", shown(path))));
    if target.is_empty() {
        return refuse("has no target");
    }
    if target.len() > MAX_TARGET_BYTES {
        return refuse("has a target of more than 4095 bytes");
    }
    if target.contains(&0) {
        return refuse("has a target that contains a NUL");
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(target: &str) -> Link {
        Link { target: target.into(), modified: None }
    }

    fn links(all: &[(&str, &str)]) -> Links {
        let mut links = Links::default();
        for (path, target) in all {
            links.insert((*path).into(), to(target)).unwrap();
        }
        links
    }

    fn resolved(all: &[(&str, &str)], path: &str) -> Result<Option<String>, Problem> {
        let found = links(all).resolved(path.as_bytes())?;
        Ok(found.map(|path| String::from_utf8(path).unwrap()))
    }

    #[test]
    fn relative_links_are_followed_as_text() {
        let all = [("a", "b"), ("b/c", "d//./e"), ("top", ".")];
        for (path, found) in
            [("a/f", "b/f"), ("a/c/f", "b/d/e/f"), ("top/a/f", "b/f"), ("b/c/g/f", "b/d/e/g/f"), ("top/f", "f")]
        {
            assert_eq!(resolved(&all, path).unwrap().as_deref(), Some(found), "{path}");
        }
        for path in ["a", "top", "ab/f", "b/f", "x/a/f"] {
            assert_eq!(resolved(&all, path), Ok(None), "{path}");
        }
    }

    #[test]
    fn absolute_dot_dot_and_circular_links_are_refused() {
        for target in ["/tmp", "..", "x/../y", "a"] {
            let text = resolved(&[("a", target)], "a/f").unwrap_err().to_string();
            assert!(text.contains("the entry `a/f` goes through `a`"), "{text}");
        }
        assert!(resolved(&[("a", "b"), ("b", "a")], "a/f").is_err());
        assert!(resolved(&[("a/c", ".")], "a/c/c").is_err());
    }

    #[test]
    fn links_below_a_folder_are_found() {
        let links = links(&[("a-b", "x"), ("a/b/c", "x"), ("ab", "x")]);
        assert!(links.has_any_below(b"a") && links.has_any_below(b"a/b"));
        assert!(!links.has_any_below(b"a/b/c") && !links.has_any_below(b"ab") && !links.has_any_below(b"b"));
    }

    #[test]
    fn links_of_more_than_32_mib_are_refused() {
        let mut links = Links::default();
        let long = || to(&"x".repeat(MAX_TARGET_BYTES));
        for number in 0..MAX_BYTES / (MAX_TARGET_BYTES + 5) {
            links.insert(format!("{number:05}").into(), long()).unwrap();
        }
        assert_eq!(links.insert("more".into(), long()), Err(TooMuch));
    }

    #[test]
    fn a_replaced_link_no_longer_counts() {
        let mut links = links(&[("a", "long target")]);
        links.insert("a".into(), to("b")).unwrap();
        assert_eq!((links.bytes, links.get(b"a")), (2, Some(&to("b"))));
        assert!(links.remove(b"a") && !links.remove(b"a"));
        assert_eq!(links.bytes, 0);
    }
}
