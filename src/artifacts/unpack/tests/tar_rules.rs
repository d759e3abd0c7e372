//! Unusual but valid tar archives unpack as by GNU tar.

use std::io::Write;

use ::tar::EntryType;

use super::craft_tar::*;
use super::*;

#[test]
fn a_leading_slash_is_dropped() {
    let names = ["etc", "etc/hosts", "tmp"];
    assert_eq!(unpacked(tar(&[file("/etc/hosts"), file("//tmp"), folder("/")])).keys().collect::<Vec<_>>(), names);
}

#[test]
fn links_keep_any_target() {
    for target in ["..", "../../neighbour", "/etc/passwd", "/dev/null"] {
        assert_eq!(unpacked(tar(&[link("l", target), file("a")]))["l"], Node::Link(target.to_owned()));
    }
}

#[test]
fn an_entry_below_a_relative_link_goes_to_its_target() {
    let tree = unpacked(tar(&[folder("d"), link("l", "./d"), file("l/x"), link("l/y", "/q")]));
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["d", "d/x", "d/y", "l"]);
    let tree = unpacked(tar(&[file("d/a"), link("l", "d"), raw(EntryType::Link, "h", "l/a", b"")]));
    assert_eq!(tree["h"], tree["d/a"]);
}

#[test]
fn devices_and_pipes_are_skipped() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        assert_eq!(unpacked(tar(&[raw(kind, "dev", "", b""), file("a")])).len(), 1);
    }
}

#[test]
fn an_entry_of_unknown_type_is_a_file() {
    let tree = unpacked(tar(&[raw(EntryType::new(b'Q'), "odd", "", b"content")]));
    assert_eq!(tree["odd"], Node::File(0o644, b"content".to_vec()));
}

#[test]
fn a_file_whose_name_ends_with_a_slash_is_a_folder() {
    assert!(matches!(unpacked(tar(&[raw(EntryType::Regular, "a/", "", b"")]))["a"], Node::Folder(_)));
    assert_eq!(unpacked(tar(&[link("a/", "b")]))["a"], Node::Link("b".to_owned()));
    for entry in [file("a/."), link("a/.", "b")] {
        assert_refused(tar(&[entry]), "`a` is not a folder, but its name ends with `/.`");
    }
    for entry in [file("./"), file("."), link(".", "b"), link("", "b")] {
        assert_eq!(unpack_with(tar(&[entry]), LIMITS).1.len(), 0);
    }
}

#[test]
fn folders_and_links_have_no_content_even_with_a_size() {
    for kind in [EntryType::Directory, EntryType::Symlink, EntryType::Link] {
        let mut header = header(kind, 512);
        header.as_gnu_mut().unwrap().name[..1].copy_from_slice(b"b");
        header.as_gnu_mut().unwrap().linkname[..1].copy_from_slice(b"a");
        header.set_cksum();
        let tree = unpacked(tar(&[file("a"), header.as_bytes().to_vec(), file("c")]));
        assert_eq!(tree.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

#[test]
fn pax_records_are_read_as_by_gnu_tar() {
    let local = |records: &[&str]| [pax(EntryType::XHeader, records), file("a")].concat();
    let names = |entries: &[Vec<u8>]| unpacked(tar(entries)).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&[local(&["path=b", "size=7", "comment=c"])]), ["b"]);
    assert_eq!(names(&[local(&["path=b", "path=c"])]), ["c"]);
    let long_name = || raw(EntryType::GNULongName, "././@LongLink", "", b"c\0");
    assert_eq!(names(&[long_name(), local(&["path=b"])]), ["b"]);
    assert_eq!(names(&[long_name(), file("a")]), ["c"]);
    assert_with_global(&["path=b", "size=7"], &["b"]);
    assert_with_global(&["comment=x"], &["a", "l"]);
    assert_refused(tar(&[local(&["size=0x7"])]), "the value of the record `size` is not a number");
    assert_refused(tar(&[raw(EntryType::XHeader, "pax", "", b"nonsense"), file("a")]), "damaged pax records");
    assert_refused(tar(&[raw(EntryType::XGlobalHeader, "pax", "", b"nonsense"), file("a")]), "damaged pax records");
}

#[track_caller]
fn assert_with_global(records: &[&str], names: &[&str]) {
    let global = pax(EntryType::XGlobalHeader, records);
    let tree = unpacked(tar(&[global, file("a"), link("l", "x")]));
    assert_eq!(tree.keys().collect::<Vec<_>>(), names);
}

#[test]
fn unknown_pax_records_of_any_size_are_skipped() {
    let value = "x\n".repeat(2_000_000);
    let record = format!("4000022 SCHILY.xattr.x={value}\n");
    assert_eq!(record.len(), 4_000_024);
    let record = record.replacen("4000022", "4000024", 1);
    let tree = unpacked(tar(&[raw(EntryType::XHeader, "pax", "", record.as_bytes()), file("a")]));
    assert_eq!(tree.len(), 1);
}

#[test]
fn labels_and_dumps_are_skipped_and_other_volumes_refused() {
    let kind = |letter: u8| EntryType::new(letter);
    let tree = unpacked(tar(&[raw(kind(b'V'), "../label", "", b""), raw(kind(b'D'), "d", "", b"Ya\0\0"), file("d/a")]));
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["d", "d/a"]);
    assert_refused(tar(&[raw(kind(b'M'), "rest", "", b"rest"), file("a")]), "continues from another volume");
}

#[test]
fn the_last_entry_of_a_name_wins() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    let new = || with_text("a", "new");
    let is_new = Node::File(0o644, b"new".to_vec());
    for before in [with_text("a", "old"), folder("a"), link("a", "/b"), link("a", "b")] {
        assert_eq!(unpacked(tar(&[before.clone(), new()])), Tree::from([("a".to_owned(), is_new.clone())]));
        let tree = unpacked(tar(&[before.clone(), link("a", "/z")]));
        assert_eq!(tree, Tree::from([("a".to_owned(), Node::Link("/z".to_owned()))]));
        let tree = unpacked(tar(&[before.clone(), folder("a")]));
        assert!(matches!(tree["a"], Node::Folder(_)) && tree.len() == 1);
        assert_eq!(unpacked(tar(&[before, with_text("c", "new"), hard("a", "c")]))["a"], is_new);
    }
}

#[test]
fn a_folder_with_content_is_not_replaced() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    for inside in [file("a/x"), link("a/x", "/y"), folder("a/x")] {
        for entry in [file("a"), link("a", "b"), hard("a", "z")] {
            assert_refused(tar(&[file("z"), inside.clone(), entry]), "entries of the archive conflict at `a`");
        }
    }
    assert_refused(tar(&[file("a"), file("a/b")]), "entries of the archive conflict at `a`");
}

#[test]
fn a_hard_link_keeps_the_content_of_a_replaced_file() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    let tree =
        unpacked(tar(&[with_text("a", "old"), hard("h", "a"), hard("a", "a"), hard("h", "a"), with_text("a", "new")]));
    assert_eq!(tree["h"], Node::File(0o644, b"old".to_vec()));
    assert_eq!(tree["a"], Node::File(0o644, b"new".to_vec()));
    let tree = unpacked(tar(&[link("l", "/x"), hard("h", "l"), hard("l", "l"), file("l")]));
    assert_eq!((&tree["h"], tree.len()), (&Node::Link("/x".to_owned()), 2));
    assert!(matches!(tree["l"], Node::File(..)));
}

#[test]
fn one_block_of_zeros_ends_an_archive() {
    let tree = unpacked([file("a"), vec![0; 512]].concat());
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(unpacked([file("a"), vec![0; 512], file("b"), vec![1; 100]].concat()), tree);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&[file("a"), vec![0; 512], file("b"), vec![1; 40 << 20]].concat()).unwrap();
    assert_eq!(unpacked(encoder.finish().unwrap()), tree);
}
