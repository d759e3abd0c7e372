//! Where symbolic links lead, told from their text alone: nothing is looked up in the file system.

use std::collections::HashMap;

use super::error::{Problem, shown};

/// As many links as the kernel follows in one path (path_resolution(7)); what needs more leads nowhere.
const MOST_HOPS: usize = 40;
/// The longest target that the kernel takes: PATH_MAX without the terminating NUL.
pub(super) const LONGEST_TARGET: usize = 4095;

/// All the links of one folder: from the link's path to its target, both relative to the folder.
#[derive(Default)]
pub(super) struct Links(HashMap<String, String>);

impl Links {
    /// Adds a link; false if there is one at that path already.
    pub(super) fn insert(&mut self, path: String, target: String) -> bool {
        self.0.insert(path, target).is_none()
    }

    /// The links, sorted by path.
    pub(super) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut sorted: Vec<_> = self.0.iter().map(|(path, target)| (path.as_str(), target.as_str())).collect();
        sorted.sort_unstable();
        sorted
    }

    /// Whether following the link at `path` would leave the folder at any step, other links on the way included.
    fn leads_out(&self, path: &str, target: &str) -> bool {
        let mut at: Vec<&str> = path.split('/').collect();
        at.pop();
        let mut ahead: Vec<&str> = target.rsplit('/').collect();
        if target.starts_with('/') {
            return true;
        }
        let mut hops = 0;
        while let Some(component) = ahead.pop() {
            match component {
                "" | "." => {}
                ".." => {
                    if at.pop().is_none() {
                        return true;
                    }
                }
                name => {
                    at.push(name);
                    let Some(next) = self.0.get(&at.join("/")) else { continue };
                    hops += 1;
                    if hops > MOST_HOPS {
                        return false;
                    }
                    if next.starts_with('/') {
                        return true;
                    }
                    at.pop();
                    ahead.extend(next.rsplit('/'));
                }
            }
        }
        false
    }

    /// The first link whose target is absolute or leads out of the folder, as text for an error.
    pub(super) fn first_that_leads_out(&self) -> Option<String> {
        let link = self.sorted().into_iter().find(|(path, target)| self.leads_out(path, target));
        link.map(|(path, target)| {
            format!("the link `{}` points out of the folder, to `{}`", shown(path), shown(target))
        })
    }
}

/// A link's target as text.
pub(super) fn checked_target(path: &str, target: Vec<u8>) -> Result<String, Problem> {
    let refuse = |what: &str| Err(Problem::Archive(format!("the link `{}` {what}", shown(path))));
    if target.is_empty() {
        return refuse("has no target");
    }
    if target.len() > LONGEST_TARGET {
        return refuse("has a target of more than 4095 bytes");
    }
    if target.contains(&0) {
        return refuse("has a target with a NUL in it");
    }
    String::from_utf8(target).or_else(|_| refuse("has a target that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_out(links: &[(&str, &str)], path: &str) -> bool {
        let mut all = Links::default();
        for (path, target) in links {
            assert!(all.insert((*path).to_owned(), (*target).to_owned()));
        }
        let target = all.0.get(path).unwrap().clone();
        all.leads_out(path, &target)
    }

    #[test]
    fn links_within_the_folder_stay_in() {
        for (path, target) in
            [("a", "b"), ("a/b", ".."), ("a/b", "../c/./d"), ("a/b/c", "../../x"), ("a", "."), ("a", "b//c/")]
        {
            assert!(!leads_out(&[(path, target)], path), "{path} -> {target}");
        }
    }

    #[test]
    fn links_that_climb_out_or_are_absolute_are_found() {
        for (path, target) in [("a", ".."), ("a", "/etc"), ("a/b", "../.."), ("a", "b/../../c"), ("a/b", "../../../x")]
        {
            assert!(leads_out(&[(path, target)], path), "{path} -> {target}");
        }
    }

    #[test]
    fn links_that_climb_out_through_other_links_are_found() {
        // `deep` leads two folders down, so `d/e/up` is the folder itself, and one more `..` is outside.
        let links = [("top", "d/e/up"), ("d/e/up", "../.."), ("out", "top/../x")];
        assert!(!leads_out(&links, "top"));
        assert!(leads_out(&links, "out"));
        assert!(leads_out(&[("a", "b"), ("b", "..")], "a"));
    }

    #[test]
    fn links_that_go_round_lead_nowhere() {
        assert!(!leads_out(&[("a", "b"), ("b", "a")], "a"));
        assert!(!leads_out(&[("a", "a/..")], "a"));
    }
}
