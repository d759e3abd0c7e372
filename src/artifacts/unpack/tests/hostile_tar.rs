//! Hostile tar archives: `..` in names, bombs and truncation.

use std::io::Write;

use ::tar::EntryType;

use super::craft_tar::*;
use super::*;

#[test]
fn names_with_dot_dot_are_refused() {
    assert_refused(tar(&[file("../neighbour")]), "contains `..`");
    assert_refused(tar(&[file("a/../../neighbour")]), "contains `..`");
}

#[test]
fn nothing_is_written_through_a_link_that_may_lead_outside() {
    for target in ["/tmp", "..", "d/../d", "l"] {
        assert_refused(tar(&[folder("d"), link("l", target), file("l/x")]), "the entry `l/x` goes through `l`");
    }
    assert_refused(tar(&[link("l", "d"), file("l/x")]), "goes through a link whose target is not a folder");
}

#[test]
fn hard_links_need_an_earlier_file() {
    let hard = |to: &str| raw(EntryType::Link, "h", to, b"");
    let tree = unpacked(tar(&[file("a"), hard("./a")]));
    assert_eq!(tree["h"], tree["a"]);
    assert_refused(tar(&[hard("a"), file("a")]), "no earlier entry of the archive is a file of this name");
    assert_refused(tar(&[hard("/etc/passwd")]), "no earlier entry of the archive is a file of this name");
    assert_refused(tar(&[folder("d"), hard("d")]), "no earlier entry of the archive is a file of this name");
    assert_refused(tar(&[hard("h")]), "no earlier entry of the archive is a file of this name");
}

#[test]
fn an_archive_truncated_within_an_entry_is_refused() {
    let whole = [file("a"), file("b")].concat();
    for length in 512..=whole.len() {
        let (result, tree) = unpack_with(whole[..length].to_vec(), LIMITS);
        // Allowed: before the next header is complete, and after the content's 7 bytes, because the padding does not matter.
        match length % 1024 {
            0..512 | 519.. => {
                let files = if length % 1024 < 512 { length / 1024 } else { length / 1024 + 1 };
                assert_eq!((result.is_ok(), tree.len()), (true, files), "{length}: {result:?}");
            }
            _ => assert!(matches!(result, Err(Problem::Archive(_))), "{length}: {result:?}"),
        }
    }
    let pax = pax(EntryType::XHeader, &["path=b"]);
    assert_refused([file("a"), pax].concat(), "ends after an extended header, before its entry");
}

#[test]
fn a_truncated_or_damaged_gzip_is_refused() {
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
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits { max_unpacked_bytes: 100_000, max_entries: 2 };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&tar(&[raw(EntryType::Regular, "bomb", "", &[0; 10_000_000])])).unwrap();
    assert_eq!(unpack_with(encoder.finish().unwrap(), limits).0, Err(Problem::TooLarge(100_000)));
    assert_eq!(
        unpack_with(tar(&[file("a"), file("b"), file("c")]), limits).0,
        Err(Problem::TooMany(EntryClass::Files, 2))
    );
}

#[test]
fn headers_that_create_nothing_also_count() {
    let limits = UnpackLimits { max_entries: 3, ..LIMITS };
    let folder = |name: &str| raw(EntryType::Directory, name, "", b"");
    let global = || raw(EntryType::XGlobalHeader, "pax_global_header", "", b"11 a=bcdef\n");
    assert_eq!(unpack_with(tar(&vec![folder("d"); 3]), limits).0, Ok(Staged { bytes: 0, entries: 1 }));
    for many in [vec![folder("d"); 5], vec![folder("./"); 4], vec![file("a"); 5], vec![global(); 4]] {
        assert_eq!(unpack_with(tar(&many), limits).0, Err(Problem::TooMany(EntryClass::Ignored, 3)));
    }
    // Implied folders count once.
    assert!(unpack_with(tar(&[file("d/e/a"), folder("d/e"), folder("d")]), limits).0.is_ok());
}

#[test]
fn a_huge_name_is_refused_before_it_fills_the_memory() {
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
    assert_refused(archive, "the checksum of a header is wrong");
}
