//! Names in zip archives are decoded as by Info-ZIP's `unzip` under C.UTF-8.

use super::as_unzip::{DOS, assert_unpacks_to, field, made_by};
use super::craft::{Crafted, file, folder, zip};
use super::*;

const IS_UTF8: u16 = 1 << 11;

/// Info-ZIP's extra field with a name in UTF-8.
fn unicode_path(version: u8, checksum: u32, name: &str) -> Vec<u8> {
    field(0x7075, &[&[version][..], &checksum.to_le_bytes(), name.as_bytes()].concat())
}

#[test]
fn backslashes_separate_folders_on_dos_and_ntfs() {
    for system in [0, 6, 10, 11, 14] {
        let by = |name: &str| made_by(system << 8 | DOS, name);
        assert_unpacks_to(
            &[by("x\\main.py"), by("x\\sub\\b.txt"), by("a"), by("e\\")],
            &["a", "e", "x", "x/main.py", "x/sub", "x/sub/b.txt"],
        );
        assert_refused(zip(&[by("x/y\\z")]), "`x/y\\\\z` contains both `/` and `\\`");
        assert_unpacks_to(&[by("C:\\x"), by("d:y")], &["C:", "C:/x", "d:y"]);
    }
    assert_unpacks_to(&[file("x\\y", b""), file("p/q\\r", b"")], &["p", "p/q\\r", "x\\y"]);
}

#[test]
fn git_archive_claims_fat_and_means_unix() {
    let git = |name: &[u8]| Crafted { extra: field(0x5455, &[1, 0, 0, 0, 0]), ..made_by(0, name) };
    assert_unpacks_to(&[git(b"a\\b"), git(b"sub/c\\d"), git(b"l\xfc")], &["a\\b", "l\\xfc", "sub", "sub/c\\d"]);
}

#[test]
fn names_lose_a_leading_slash_and_dots() {
    let names = ["/a", "//b/c", "../d", "e/../f", "./g/./h", "..", "i/.."];
    let expected = ["__", "a", "b", "b/c", "d", "e", "e/f", "g", "g/h", "i", "i/__"];
    assert_unpacks_to(&names.map(|name| file(name, b"")), &expected);
    assert_unpacks_to(&[folder("/"), folder("../"), folder("./"), file("a\0b", b"")], &["a"]);
}

#[test]
fn dos_names_are_in_code_page_437() {
    let u_umlaut = |by| made_by(by, b"\x81");
    assert_unpacks_to(&[u_umlaut(DOS)], &["\u{fc}"]);
    assert_unpacks_to(&[u_umlaut(6 << 8 | DOS)], &["\u{fc}"]);
    // On other systems, and with the UTF-8 flag, the bytes stay.
    for by in [0x031e, 10 << 8 | DOS, 14 << 8 | DOS, 40] {
        assert_unpacks_to(&[Crafted { attributes: 1 << 16, ..u_umlaut(by) }], &["\\x81"]);
    }
    assert_unpacks_to(&[Crafted { flags: IS_UTF8, ..u_umlaut(DOS) }], &["\\x81"]);
    assert_unpacks_to(&[made_by(DOS, "\u{e4}\\\u{6f22}")], &["\u{e4}", "\u{e4}/\u{6f22}"]);
}

#[test]
fn a_unicode_path_field_is_used_if_its_checksum_matches() {
    let checksum = crc32fast::hash(b"a\x81");
    let with = |extra| Crafted { extra, ..file(b"a\x81", b"") };
    assert_unpacks_to(&[with(unicode_path(1, checksum, "\u{e4}"))], &["\u{e4}"]);
    assert_unpacks_to(&[with(unicode_path(1, checksum + 1, "\u{e4}"))], &["a\\x81"]);
    assert_unpacks_to(&[with(unicode_path(2, checksum, "\u{e4}"))], &["a\\x81"]);
    let marked = Crafted { flags: IS_UTF8, ..with(unicode_path(1, checksum, "\u{e4}")) };
    assert_unpacks_to(&[marked], &["a\\x81"]);
    // A field without a name means that the header's name is UTF-8.
    let utf8 = unicode_path(1, crc32fast::hash("\u{fc}".as_bytes()), "");
    assert_unpacks_to(&[Crafted { extra: utf8, ..made_by(DOS, "\u{fc}") }], &["\u{fc}"]);
}
