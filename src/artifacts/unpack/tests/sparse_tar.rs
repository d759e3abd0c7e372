//! Sparse files: valid and invalid regions, and files that consist of one hole.

use std::os::unix::fs::MetadataExt;

use ::tar::EntryType;

use super::craft_tar::*;
use super::*;

/// A sparse file in form 1.0. The map is text before the content.
fn sparse(size: &str, map: &str, content: &[u8]) -> Vec<u8> {
    let mut packed = map.as_bytes().to_vec();
    packed.resize(packed.len().next_multiple_of(512), 0);
    packed.extend(content);
    let size = format!("GNU.sparse.realsize={size}");
    let records = ["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=real", &size];
    [pax(EntryType::XHeader, &records), raw(EntryType::Regular, "GNUSparseFile.0/real", "", &packed)].concat()
}

#[test]
fn a_sparse_file_has_its_name_size_and_regions() {
    let tree = unpacked(tar(&[sparse("1030", "2\n3\n2\n1024\n4\n", &[&b"ab"[..], &[0; 510], b"cdef"].concat())]));
    let content = [&[0; 3][..], b"ab", &[0; 1019], b"cdef", &[0; 2]].concat();
    assert_eq!(tree, Tree::from([("real".to_owned(), Node::File(0o644, content))]));
    assert_eq!(unpacked(tar(&[sparse("7", "0\n", b"")]))["real"], Node::File(0o644, vec![0; 7]));
}

#[test]
fn a_hole_takes_no_disk_space() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let object = tar(&[sparse("60000000", "1\n60000000\n0\n", b"")]);
    let staged = unpack(&memory::source(object, runtime.handle()), "App", folder.path(), LIMITS).unwrap();
    assert_eq!(staged, Staged { bytes: 60_000_000, entries: 1 });
    let found = folder.path().join("real").metadata().unwrap();
    assert_eq!(found.len(), 60_000_000);
    assert!(found.blocks() * 512 < 1_000_000);
}

#[test]
fn a_sparse_bomb_stops_at_the_limit() {
    let too_large = Err(Problem::TooLarge(LIMITS.max_unpacked_bytes));
    for (size, map) in [
        ("1000000000000", "0\n"),
        ("9223372036854775807", "1\n9223372036854775807\n0\n"),
        ("18446744073709551615", "1\n18446744073709551614\n1\n"),
    ] {
        assert_eq!(unpack_with(tar(&[sparse(size, map, b"x")]), LIMITS).0, too_large, "{size}");
    }
}

#[test]
fn invalid_regions_are_refused() {
    for (size, map, why) in [
        ("9", "2\n0\n3\n2\n1\n", "regions overlap or exceed its size"),
        ("9", "2\n5\n1\n0\n1\n", "regions overlap or exceed its size"),
        ("9", "1\n8\n2\n", "regions overlap or exceed its size"),
        ("9", "1\n18446744073709551615\n2\n", "regions overlap or exceed its size"),
        ("600", "1\n0\n600\n", "content is shorter than its regions"),
        ("9", "2\n0\n3\n", "list of regions is damaged"),
        ("9", "x\n", "list of regions is damaged"),
        ("9", "99999999999999999999999\n", "list of regions is damaged"),
        ("9", "18446744073709551615\n", "list of regions is damaged"),
        ("9", "", "list of regions is damaged"),
    ] {
        assert_refused(tar(&[sparse(size, map, b"")]), why);
    }
    let records = pax(EntryType::XHeader, &["GNU.sparse.major=2"]);
    assert_refused(tar(&[records, file("a")]), "in the unknown form 2.0");
}

#[test]
fn too_many_regions_are_refused() {
    let count = (1 << 20) + 1;
    let map = format!("{count}\n{}", "0\n0\n".repeat(count));
    assert_refused(tar(&[sparse("9", &map, b"")]), "more than 1048576 regions");
}
