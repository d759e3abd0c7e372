//! Folders that stay open, because the next file is usually in the same folder or near it.

use std::os::fd::OwnedFd;

/// The limit for open folders of a thread. Deeper paths keep the first folders and the last one open.
const MAX_OPEN: usize = 8;

/// The folder that a thread opened last, and folders above it.
///
/// A folder is only removed through its parent, which closes it here: [`FolderCache::keep_above`] closes every folder that is
/// neither the wanted one nor above it.
#[derive(Default)]
pub(in super::super) struct FolderCache {
    /// The path of the last one.
    path: Vec<u8>,
    /// From the top down. The number is the length of the folder's part of `path`.
    open: Vec<(usize, OwnedFd)>,
}

impl FolderCache {
    /// Closes the folders that are neither at `path` nor above it. Returns the length of the last one's path, or 0 if none is
    /// open.
    pub(super) fn keep_above(&mut self, path: &[u8]) -> usize {
        let is_above = |length: usize| {
            path.get(..length) == self.path.get(..length) && matches!(path.get(length), None | Some(b'/'))
        };
        let keep = self.open.iter().take_while(|(length, _)| is_above(*length)).count();
        self.open.truncate(keep);
        let length = self.open.last().map_or(0, |(length, _)| *length);
        self.path.truncate(length);
        length
    }

    /// The last one.
    pub(super) fn last(&self) -> Option<&OwnedFd> {
        self.open.last().map(|(_, folder)| folder)
    }

    /// Adds the folder at `path`, which is below the last one.
    pub(super) fn push(&mut self, path: &[u8], folder: OwnedFd) {
        if self.open.len() == MAX_OPEN {
            self.open.pop();
        }
        self.path.clear();
        self.path.extend_from_slice(path);
        self.open.push((path.len(), folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> OwnedFd {
        std::fs::File::open("/").unwrap().into()
    }

    fn cache_of(paths: &[&str]) -> FolderCache {
        let mut cache = FolderCache::default();
        for path in paths {
            cache.push(path.as_bytes(), folder());
        }
        cache
    }

    #[test]
    fn only_the_folders_above_a_path_stay_open() {
        for (path, kept) in [
            ("a/b", "a/b"),
            ("a/b/c", "a/b"),
            ("a/bc", "a"),
            ("a/c", "a"),
            ("a", "a"),
            ("ab", ""),
            ("", ""),
            ("b/a/b", ""),
        ] {
            let mut cache = cache_of(&["a", "a/b"]);
            assert_eq!(cache.keep_above(path.as_bytes()), kept.len(), "{path}");
            assert_eq!((&cache.path[..], cache.last().is_some()), (kept.as_bytes(), !kept.is_empty()), "{path}");
        }
    }

    #[test]
    fn a_deep_path_keeps_few_folders_open() {
        let deep = "d/".repeat(20);
        let paths: Vec<_> = (1..=20).map(|depth| &deep[..depth * 2 - 1]).collect();
        let mut cache = cache_of(&paths);
        assert_eq!((cache.open.len(), cache.path.len()), (MAX_OPEN, 39));
        assert_eq!(cache.keep_above(&deep.as_bytes()[..37]), 2 * (MAX_OPEN - 1) - 1);
    }
}
