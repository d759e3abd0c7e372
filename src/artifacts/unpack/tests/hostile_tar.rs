//! Tar archives that climb, explode or break off.

use std::io::Write;

use ::tar::{EntryType, Header};

use super::*;

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// A name just as it is, which the library's own methods would refuse to write.
fn raw(kind: EntryType, name: &str, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = header(kind, content.len() as u64);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..name.len()].copy_from_slice(name.as_bytes());
    gnu.linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    let mut block = header.as_bytes().to_vec();
    block.extend(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = entries.concat();
    archive.extend([0; 1024]);
    archive
}

fn file(name: &str) -> Vec<u8> {
    raw(EntryType::Regular, name, "", b"content")
}

fn folder(name: &str) -> Vec<u8> {
    raw(EntryType::Directory, name, "", b"")
}

fn link(name: &str, target: &str) -> Vec<u8> {
    raw(EntryType::Symlink, name, target, b"")
}

#[test]
fn names_that_climb_out_or_are_absolute_are_refused() {
    assert_refused(tar(&[file("../neighbour")]), "climbs with `..`");
    assert_refused(tar(&[file("a/../../neighbour")]), "climbs with `..`");
}

#[test]
fn a_leading_slash_is_dropped() {
    let names = ["etc", "etc/hosts", "tmp"];
    assert_eq!(unpacked(tar(&[file("/etc/hosts"), file("//tmp"), folder("/")])).keys().collect::<Vec<_>>(), names);
}

#[test]
fn links_are_made_as_they_are_wherever_they_point() {
    for target in ["..", "../../neighbour", "/etc/passwd", "/dev/null"] {
        assert_eq!(unpacked(tar(&[link("l", target), file("a")]))["l"], Node::Link(target.to_owned()));
    }
}

#[test]
fn an_entry_below_a_relative_link_lands_where_the_link_points() {
    let tree = unpacked(tar(&[folder("d"), link("l", "./d"), file("l/x"), link("l/y", "/q")]));
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["d", "d/x", "d/y", "l"]);
    let tree = unpacked(tar(&[file("d/a"), link("l", "d"), raw(EntryType::Link, "h", "l/a", b"")]));
    assert_eq!(tree["h"], tree["d/a"]);
}

#[test]
fn nothing_is_written_through_a_link_that_may_lead_out() {
    for target in ["/tmp", "..", "d/../d", "l"] {
        assert_refused(tar(&[folder("d"), link("l", target), file("l/x")]), "`l/x` lies below the link `l`");
    }
    assert_refused(tar(&[link("l", "d"), file("l/x")]), "lies below a link that points to no folder");
}

#[test]
fn hard_links_only_lead_to_files_that_came_before() {
    let hard = |to: &str| raw(EntryType::Link, "h", to, b"");
    let tree = unpacked(tar(&[file("a"), hard("./a")]));
    assert_eq!(tree["h"], tree["a"]);
    assert_refused(tar(&[hard("a"), file("a")]), "which is no file that came before it");
    assert_refused(tar(&[hard("/etc/passwd")]), "which is no file that came before it");
    assert_refused(tar(&[folder("d"), hard("d")]), "which is no file that came before it");
    assert_refused(tar(&[hard("h")]), "which is no file that came before it");
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
fn a_file_with_the_name_of_a_folder_is_a_folder() {
    assert!(matches!(unpacked(tar(&[raw(EntryType::Regular, "a/", "", b"")]))["a"], Node::Folder(_)));
    assert_eq!(unpacked(tar(&[link("a/", "b")]))["a"], Node::Link("b".to_owned()));
    for entry in [file("a/."), link("a/.", "b")] {
        assert_refused(tar(&[entry]), "`a` is no folder, but has the name of one");
    }
    for entry in [file("./"), file("."), link(".", "b"), link("", "b")] {
        assert_eq!(unpack_with(tar(&[entry]), LIMITS).1.len(), 0);
    }
}

#[test]
fn folders_and_links_have_no_content_whatever_their_headers_say() {
    for kind in [EntryType::Directory, EntryType::Symlink, EntryType::Link] {
        let mut header = header(kind, 512);
        header.as_gnu_mut().unwrap().name[..1].copy_from_slice(b"b");
        header.as_gnu_mut().unwrap().linkname[..1].copy_from_slice(b"a");
        header.set_cksum();
        let tree = unpacked(tar(&[file("a"), header.as_bytes().to_vec(), file("c")]));
        assert_eq!(tree.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

/// Records before an entry, or with the kind of a global header before all of them.
fn pax(kind: EntryType, records: &[&str]) -> Vec<u8> {
    let line = |record: &&str| format!("{} {record}\n", record.len() + 4);
    assert!(records.iter().all(|record| (6..96).contains(&record.len())), "their lengths have two digits");
    raw(kind, "pax", "", records.iter().map(line).collect::<String>().as_bytes())
}

#[test]
fn pax_records_count_as_gnu_tar_reads_them() {
    let local = |records: &[&str]| [pax(EntryType::XHeader, records), file("a")].concat();
    let names = |entries: &[Vec<u8>]| unpacked(tar(entries)).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&[local(&["path=b", "size=7", "comment=c"])]), ["b"]);
    assert_eq!(names(&[local(&["path=b", "path=c"])]), ["c"]);
    let long_name = || raw(EntryType::GNULongName, "././@LongLink", "", b"c\0");
    assert_eq!(names(&[long_name(), local(&["path=b"])]), ["b"]);
    assert_eq!(names(&[long_name(), file("a")]), ["c"]);
    for_all_entries(&["path=b", "size=7"], &["b"]);
    for_all_entries(&["comment=x"], &["a", "l"]);
    assert_refused(tar(&[local(&["size=0x7"])]), "the record `size` is no number");
    assert_refused(tar(&[raw(EntryType::XHeader, "pax", "", b"nonsense"), file("a")]), "damaged pax records");
    assert_refused(tar(&[raw(EntryType::XGlobalHeader, "pax", "", b"nonsense"), file("a")]), "damaged pax records");
}

#[track_caller]
fn for_all_entries(records: &[&str], names: &[&str]) {
    let global = pax(EntryType::XGlobalHeader, records);
    let tree = unpacked(tar(&[global, file("a"), link("l", "x")]));
    assert_eq!(tree.keys().collect::<Vec<_>>(), names);
}

#[test]
fn records_of_any_size_that_do_not_matter_are_skipped() {
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

fn text(name: &str, content: &str) -> Vec<u8> {
    raw(EntryType::Regular, name, "", content.as_bytes())
}

#[test]
fn the_last_entry_of_a_name_wins() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    let new = || text("a", "new");
    let is_new = Node::File(0o644, b"new".to_vec());
    for before in [text("a", "old"), folder("a"), link("a", "/b"), link("a", "b")] {
        assert_eq!(unpacked(tar(&[before.clone(), new()])), Tree::from([("a".to_owned(), is_new.clone())]));
        let tree = unpacked(tar(&[before.clone(), link("a", "/z")]));
        assert_eq!(tree, Tree::from([("a".to_owned(), Node::Link("/z".to_owned()))]));
        let tree = unpacked(tar(&[before.clone(), folder("a")]));
        assert!(matches!(tree["a"], Node::Folder(_)) && tree.len() == 1);
        assert_eq!(unpacked(tar(&[before, text("c", "new"), hard("a", "c")]))["a"], is_new);
    }
}

#[test]
fn a_folder_with_content_is_not_replaced() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    for inside in [file("a/x"), link("a/x", "/y"), folder("a/x")] {
        for entry in [file("a"), link("a", "b"), hard("a", "z")] {
            assert_refused(tar(&[file("z"), inside.clone(), entry]), "another entry at `a`");
        }
    }
    assert_refused(tar(&[file("a"), file("a/b")]), "another entry at `a`");
}

#[test]
fn a_hard_link_keeps_what_it_names() {
    let hard = |name: &str, to: &str| raw(EntryType::Link, name, to, b"");
    let tree = unpacked(tar(&[text("a", "old"), hard("h", "a"), hard("a", "a"), hard("h", "a"), text("a", "new")]));
    assert_eq!(tree["h"], Node::File(0o644, b"old".to_vec()));
    assert_eq!(tree["a"], Node::File(0o644, b"new".to_vec()));
    let tree = unpacked(tar(&[link("l", "/x"), hard("h", "l"), hard("l", "l"), file("l")]));
    assert_eq!((&tree["h"], tree.len()), (&Node::Link("/x".to_owned()), 2));
    assert!(matches!(tree["l"], Node::File(..)));
}

#[test]
fn an_archive_cut_off_within_an_entry_is_refused() {
    let whole = [file("a"), file("b")].concat();
    for length in 512..=whole.len() {
        let (result, tree) = unpack_with(whole[..length].to_vec(), LIMITS);
        // Up to the header, and up to the content's end: "content" has 7 bytes, what fills its block says nothing.
        match length % 1024 {
            0..512 | 519.. => {
                let files = if length % 1024 < 512 { length / 1024 } else { length / 1024 + 1 };
                assert_eq!((result.is_ok(), tree.len()), (true, files), "{length}: {result:?}");
            }
            _ => assert!(matches!(result, Err(Problem::Archive(_))), "{length}: {result:?}"),
        }
    }
    let pax = pax(EntryType::XHeader, &["path=b"]);
    assert_refused([file("a"), pax].concat(), "ends after a header that belongs to an entry");
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

#[test]
fn a_gzip_that_is_cut_off_or_damaged_is_refused() {
    let noise: Vec<_> = (0..2000_u32).map(|number| (number.wrapping_mul(number) >> 5) as u8).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&[file("a"), raw(EntryType::Regular, "b", "", &noise)].concat()).unwrap();
    let whole = encoder.finish().unwrap();
    assert_eq!(unpacked(whole.clone()).len(), 2);
    for length in 600..whole.len() {
        assert_refused(whole[..length].to_vec(), "truncated or damaged");
    }
    let mut damaged = whole;
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    assert_refused(damaged, "truncated or damaged");
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let limits = Limits { max_unpacked_bytes: 100_000, max_entries: 2 };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&tar(&[raw(EntryType::Regular, "bomb", "", &[0; 10_000_000])])).unwrap();
    assert_eq!(unpack_with(encoder.finish().unwrap(), limits).0, Err(Problem::TooLarge(100_000)));
    assert_eq!(
        unpack_with(tar(&[file("a"), file("b"), file("c")]), limits).0,
        Err(Problem::TooMany(Counted::Files, 2))
    );
}

#[test]
fn every_header_counts_also_one_that_makes_nothing() {
    let limits = Limits { max_entries: 3, ..LIMITS };
    let folder = |name: &str| raw(EntryType::Directory, name, "", b"");
    let global = || raw(EntryType::XGlobalHeader, "pax_global_header", "", b"11 a=bcdef\n");
    assert_eq!(unpack_with(tar(&vec![folder("d"); 3]), limits).0, Ok(Staged { bytes: 0, entries: 1 }));
    for many in [vec![folder("d"); 5], vec![folder("./"); 4], vec![file("a"); 5], vec![global(); 4]] {
        assert_eq!(unpack_with(tar(&many), limits).0, Err(Problem::TooMany(Counted::Leftovers, 3)));
    }
    // Folders that no header names count as before, and once.
    assert!(unpack_with(tar(&[file("d/e/a"), folder("d/e"), folder("d")]), limits).0.is_ok());
}

#[test]
fn headers_without_end_are_refused_before_they_fill_the_memory() {
    let name = vec![b'x'; 3 * 1024 * 1024];
    assert_refused(
        tar(&[raw(EntryType::GNULongName, "././@LongLink", "", &name), file("a")]),
        "a name of more than 64 KiB",
    );
}

#[test]
fn a_damaged_header_is_refused() {
    let mut archive = tar(&[file("a")]);
    archive[0] = b'b';
    assert_refused(archive, "a header has another checksum");
}
