//! Where symbolic links lead, told from their text alone: nothing is looked up in the file system.

use std::collections::HashMap;

use super::error::{Problem, shown};
use super::stop::Stop;
use walk::Tree;

mod walk;

/// The longest target that the kernel takes: PATH_MAX without the terminating NUL.
pub(super) const LONGEST_TARGET: usize = 4095;
/// All paths and targets together, since links are kept in memory until they are made. 100 000 links, which are
/// CodePipeline's most entries, may have 335 bytes each on average.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// All the links of one folder: from the link's path to its target, both relative to the folder.
#[derive(Default)]
pub(super) struct Links {
    targets: HashMap<String, String>,
    bytes: usize,
}

/// Why a link is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdded {
    /// There is one at that path already.
    Twice,
    /// The links would need more memory than they may have.
    TooMuch,
}

impl NotAdded {
    /// What to say of [`NotAdded::TooMuch`].
    pub(super) const TOO_MUCH: &str =
        "has links whose names and targets have more than 32 MiB together; use fewer links or shorter ones";
}

impl Links {
    /// Adds a link.
    pub(super) fn insert(&mut self, path: String, target: String) -> Result<(), NotAdded> {
        self.bytes += path.len() + target.len();
        if self.bytes > MOST_BYTES {
            return Err(NotAdded::TooMuch);
        }
        if self.targets.insert(path, target).is_some() { Err(NotAdded::Twice) } else { Ok(()) }
    }

    /// The links, sorted by path.
    pub(super) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut sorted: Vec<_> = self.targets.iter().map(|(path, target)| (path.as_str(), target.as_str())).collect();
        sorted.sort_unstable();
        sorted
    }

    /// A link whose target is absolute or climbs out of the folder at any step, other links on the way included, as text
    /// for an error. Takes time in proportion to the links' bytes.
    ///
    /// # Errors
    /// When stopped.
    pub(super) fn one_that_leads_out(&self, stop: &Stop) -> Result<Option<String>, Problem> {
        let sorted = self.sorted();
        let mut tree = Tree::new(&sorted);
        for link in tree.links() {
            let Some(found) = tree.leads_out(link, stop)? else { continue };
            let (path, target) = sorted[found];
            let text = format!("the link `{}` points out of the folder, to `{}`", shown(path), shown(target));
            return Ok(Some(text));
        }
        Ok(None)
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

    fn links(all: &[(&str, &str)]) -> Links {
        let mut links = Links::default();
        for (path, target) in all {
            links.insert((*path).to_owned(), (*target).to_owned()).unwrap();
        }
        links
    }

    fn leads_out(all: &[(&str, &str)]) -> Option<String> {
        links(all).one_that_leads_out(&Stop::new()).unwrap()
    }

    #[test]
    fn links_within_the_folder_stay_in() {
        for (path, target) in
            [("a", "b"), ("a/b", ".."), ("a/b", "../c/./d"), ("a/b/c", "../../x"), ("a", "."), ("a", "b//c/")]
        {
            assert_eq!(leads_out(&[(path, target)]), None, "{path} -> {target}");
        }
    }

    #[test]
    fn links_that_climb_out_or_are_absolute_are_found() {
        for (path, target) in [("a", ".."), ("a", "/etc"), ("a/b", "../.."), ("a", "b/../../c"), ("a/b", "../../../x")]
        {
            assert!(leads_out(&[(path, target)]).is_some(), "{path} -> {target}");
        }
    }

    #[test]
    fn links_that_climb_out_through_other_links_are_found() {
        // `top` leads two folders down and up again, so it is the folder itself, and one more `..` is outside.
        let (top, up) = (("top", "d/e/up"), ("d/e/up", "../.."));
        assert_eq!(leads_out(&[top, up]), None);
        assert_eq!(leads_out(&[top, up, ("in", "top/x/../../in2/..")]).as_deref().map(culprit), Some("in"));
        assert_eq!(leads_out(&[top, up, ("out", "top/../x")]).as_deref().map(culprit), Some("out"));
        assert_eq!(leads_out(&[("a", "b"), ("b", "..")]).as_deref().map(culprit), Some("b"));
        assert_eq!(leads_out(&[("a", "d/b"), ("d/b", "/etc")]).as_deref().map(culprit), Some("d/b"));
    }

    fn culprit(text: &str) -> &str {
        text.split('`').nth(1).unwrap()
    }

    #[test]
    fn names_that_are_no_links_are_as_deep_as_they_look() {
        assert_eq!(leads_out(&[("d/a", "x/y/z/../../../../b"), ("d/b", "c")]), None);
        assert!(leads_out(&[("d/a", "x/y/z/../../../../../b"), ("d/b", "c")]).is_some());
        // Where a link leads is where `..` goes up from, wherever the link lies.
        assert_eq!(leads_out(&[("a", "x/y"), ("d/b", "../a/../../c")]), None);
        assert!(leads_out(&[("a", "x/y"), ("d/b", "../a/../../../c")]).is_some());
    }

    #[test]
    fn links_that_go_round_lead_nowhere() {
        assert_eq!(leads_out(&[("a", "b"), ("b", "a")]), None);
        assert_eq!(leads_out(&[("a", "a/..")]), None);
        assert_eq!(leads_out(&[("a", "b/../.."), ("b", "c"), ("c", "a")]), None);
    }

    /// Followed anew for each of them, these take 240 million steps.
    fn long_chain() -> Links {
        let mut links = Links::default();
        for number in 0..6000 {
            let target = format!("{}l{}", "d/../".repeat(500), number + 1);
            links.insert(format!("l{number}"), target).unwrap();
        }
        links
    }

    #[test]
    fn many_links_with_long_targets_are_each_followed_once() {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(long_chain().one_that_leads_out(&Stop::new())));
        assert_eq!(receiver.recv_timeout(std::time::Duration::from_secs(20)), Ok(Ok(None)));
    }

    #[test]
    fn following_links_ends_when_it_is_stopped() {
        let stop = Stop::new();
        stop.stop();
        assert_eq!(long_chain().one_that_leads_out(&stop), Err(Problem::Interrupted));
    }

    #[test]
    fn links_of_more_than_32_mib_are_too_much() {
        let mut links = Links::default();
        let fitting = MOST_BYTES / (LONGEST_TARGET + 5);
        for number in 0..fitting {
            links.insert(format!("{number:05}"), "x".repeat(LONGEST_TARGET)).unwrap();
        }
        assert_eq!(links.insert("one".to_owned(), "x".repeat(LONGEST_TARGET)), Err(NotAdded::TooMuch));
    }
}
