use super::*;

const ANY: Attributes = Attributes { mode: 0o755, modified: None };

#[test]
fn folder_names_have_at_most_32_mib() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let limits = UnpackLimits { max_unpacked_bytes: 0, max_entries: 100_000 };
    let jail = Jail::new(folder.path(), limits, &stop).unwrap();
    let mut cache = FolderCache::default();
    jail.folder(b"first", ANY, &mut cache).unwrap();
    assert_eq!(jail.deferred().folder_bytes, 5);
    jail.deferred().folder_bytes = MAX_FOLDER_BYTES - 6;
    jail.folder(b"second", ANY, &mut cache).unwrap();
    jail.folder(b"first", Attributes { mode: 0o700, ..ANY }, &mut cache).unwrap();
    let text = jail.folder(b"x", ANY, &mut cache).unwrap_err().to_string();
    assert!(text.contains("names of the archive's folders have more than 32 MiB together"), "{text}");
}

#[test]
fn a_link_on_the_disk_is_never_followed() {
    let (outer, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let root = outer.path().join("in");
    std::fs::create_dir_all(root.join("real")).unwrap();
    std::fs::create_dir(outer.path().join("outside")).unwrap();
    std::os::unix::fs::symlink("real", root.join("inside")).unwrap();
    std::os::unix::fs::symlink(outer.path().join("outside"), root.join("out")).unwrap();
    let limits = UnpackLimits { max_unpacked_bytes: 10, max_entries: 10 };
    let jail = Jail::new(&root, limits, &stop).unwrap();
    let mut cache = FolderCache::default();
    for path in [&b"inside/a"[..], b"out/a"] {
        let result = jail.file(path, ANY, &mut cache, &mut &b"A"[..], |_| Problem::Interrupted);
        assert!(matches!(result, Err(Problem::Archive(_))), "{result:?}");
        assert!(jail.hard_link(b"h", path, &mut cache).is_err());
    }
    jail.file(b"out", ANY, &mut cache, &mut &b"A"[..], |_| Problem::Interrupted).unwrap();
    assert!(root.join("out").symlink_metadata().unwrap().is_file());
    assert!(outer.path().join("outside").read_dir().unwrap().next().is_none());
}

#[test]
fn a_hole_counts_as_bytes_and_takes_no_disk_space() {
    use std::os::unix::fs::MetadataExt;
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let limits = UnpackLimits { max_unpacked_bytes: 20 << 20, max_entries: 10 };
    let jail = Jail::new(folder.path(), limits, &stop).unwrap();
    let mut cache = FolderCache::default();
    let mut file = jail.new_file(b"a", &mut cache).unwrap();
    file.hole(10 << 20).unwrap();
    file.copy(&mut &b"x"[..], |_| Problem::Interrupted).unwrap();
    file.hole(5).unwrap();
    let modified = Some(Timespec { tv_sec: -7, tv_nsec: 250_000_000 });
    assert_eq!(file.finish(Attributes { mode: 0o4640, modified }), Ok((10 << 20) + 6));
    let found = folder.path().join("a").metadata().unwrap();
    assert_eq!((found.len(), found.mode() & 0o7777), ((10 << 20) + 6, 0o640));
    assert_eq!((found.mtime(), found.mtime_nsec()), (-7, 250_000_000));
    assert!(found.blocks() * 512 < 1 << 20);
    let mut file = jail.new_file(b"b", &mut cache).unwrap();
    assert_eq!(file.hole(10 << 20), Err(Problem::TooLarge(20 << 20)));
}
