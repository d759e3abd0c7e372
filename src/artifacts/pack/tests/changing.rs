//! Files that change between the listing of the tree and the reading of the file.

use super::*;

/// Packs a folder whose file `b` gets another content after the listing.
fn packed_after_change(before: &[u8], after: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "before it").unwrap();
    std::fs::write(folder.path().join("b"), before).unwrap();
    std::fs::write(folder.path().join("c"), "after it").unwrap();
    let root = open_root(folder.path()).unwrap();
    let tree = Tree::list(&root, LIMITS, &Stop::new()).unwrap();
    std::fs::write(folder.path().join("b"), after).unwrap();
    let mut archive = Vec::new();
    let bytes = write_tree(2, &tree, &root, &mut archive, &Stop::new()).unwrap();
    assert_eq!(bytes, ("before it".len() + after.len() + "after it".len()) as u64);
    archive
}

#[test]
fn a_file_that_changes_its_size_is_packed_as_it_is_read() {
    let lengths = [0, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, 1_000_000];
    for (before, after) in lengths.into_iter().flat_map(|before| lengths.map(|after| (before, after))) {
        let content = text(1, after);
        let archive = packed_after_change(&text(2, before), &content);
        assert!(files(&archive)[1].1 == content, "from {before} to {after} bytes");
        // The same tree gives the same bytes.
        assert!(packed_after_change(&content, &content) == archive, "from {before} to {after} bytes");
    }
}

#[test]
fn a_file_that_becomes_a_link_is_not_followed() {
    for length in [10, 1_000_000] {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = outside.path().join("secret");
        std::fs::write(&secret, noise(1, length)).unwrap();
        std::fs::write(folder.path().join("file"), noise(1, length)).unwrap();
        let root = open_root(folder.path()).unwrap();
        let tree = Tree::list(&root, LIMITS, &Stop::new()).unwrap();
        std::fs::remove_file(folder.path().join("file")).unwrap();
        std::os::unix::fs::symlink(&secret, folder.path().join("file")).unwrap();
        let problem = write_tree(2, &tree, &root, Vec::new(), &Stop::new()).unwrap_err().to_string();
        assert!(problem.contains("could not read `file` in the output folder"), "{problem}");
    }
}

/// Stops the packing when the archive has this many bytes.
struct StopsAfter(usize, Stop);

impl Write for StopsAfter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_sub(bytes.len());
        if self.0 == 0 {
            self.1.stop();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stop_interrupts_a_long_file_and_many_short_ones() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..100 {
        std::fs::write(folder.path().join(format!("short{number}")), text(number, 20_000)).unwrap();
    }
    std::fs::write(folder.path().join("long"), text(1, 4_000_000)).unwrap();
    for (threads, length) in [(1, 1), (2, 1), (1, 300_000), (2, 300_000), (16, 300_000)] {
        let stop = Stop::new();
        let to = StopsAfter(length, stop.clone());
        assert_eq!(pack_with(threads, folder.path(), to, LIMITS, &stop), Err(Problem::Interrupted));
    }
}
