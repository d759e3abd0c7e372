//! Decodes the name of an entry as Info-ZIP's `unzip` does under C.UTF-8.
//!
//! These rules differ from unzip's:
//! - A name in a DOS character set becomes UTF-8. unzip converts it to Latin-1, which no program can read under C.UTF-8.
//! - NTFS and VFAT have the same separator as FAT.
//! - A name with both separators is refused.
//! - Control characters and a version number of VMS (`;1`) stay in the name.

use std::borrow::Cow;

use rawzip::ZipFileHeaderRecord;
use rawzip::extra_fields::ExtraFieldId;

use super::super::super::error::{Problem, shown};
use super::super::super::names::entry_path;
use super::host;

/// The characters 128 to 255 of code page 437.
const CP437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A path below the artifact's folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Empty for the folder itself.
    pub(super) path: Vec<u8>,
    /// The name ends with a separator.
    pub(super) is_folder: bool,
    /// The name contained `..`, which was removed.
    pub(super) has_dot_dot: bool,
}

/// Decodes a name, and checks it.
pub(super) fn of(record: &ZipFileHeaderRecord<'_>) -> Result<Name, Problem> {
    let raw = record.file_path();
    let raw: &[u8] = raw.as_bytes();
    let by_git = is_by_git(record);
    let mut name = if record.flags().is_utf8() {
        Cow::Borrowed(raw)
    } else if let Some(unicode) = unicode_path(record, raw) {
        Cow::Owned(unicode)
    } else if !by_git && host::has_dos_characters(record) && std::str::from_utf8(raw).is_err() {
        Cow::Owned(from_cp437(raw))
    } else {
        Cow::Borrowed(raw)
    };
    // Like unzip, ends the name at a NUL, as C does.
    if let Some(end) = name.iter().position(|byte| *byte == 0) {
        name.to_mut().truncate(end);
    }
    if host::separates_with_backslash(record) && !by_git && name.contains(&b'\\') {
        if name.contains(&b'/') {
            let text = "contains both `/` and `\\`, and either may separate folders; create the archive with `/` alone";
            return Err(Problem::Archive(format!("the name of the entry `{}` {text}", shown(&name))));
        }
        name.to_mut().iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    }
    clean(&name)
}

/// Removes what unzip removes: a leading `/`, and `.` and `..` before a separator. At the end, these two name a file.
fn clean(name: &[u8]) -> Result<Name, Problem> {
    let mut parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
    let last: &[u8] = match parts.pop() {
        Some(b".") => b"_",
        Some(b"..") => b"__",
        last => last.unwrap_or_default(),
    };
    let has_dot_dot = parts.contains(&&b".."[..]);
    parts.retain(|part| *part != b"..");
    parts.push(last);
    let path = entry_path(&parts.join(&b'/'))?;
    Ok(Name { path, is_folder: last.is_empty() && !name.is_empty(), has_dot_dot })
}

/// Whether `git archive` wrote the entry. It claims version 0.0 on FAT but writes Unix names. No other program that claims this
/// also writes a Unix time.
fn is_by_git(record: &ZipFileHeaderRecord<'_>) -> bool {
    record.version_made_by().as_u16() == 0
        && record.extra_fields().any(|(id, _)| id == ExtraFieldId::EXTENDED_TIMESTAMP)
}

/// The name in Info-ZIP's extra field: a version, the checksum of the header's name, and the name in UTF-8. If the field has no
/// name, the header's name is UTF-8.
fn unicode_path(record: &ZipFileHeaderRecord<'_>, raw: &[u8]) -> Option<Vec<u8>> {
    let fields = record.extra_fields().filter(|(id, _)| *id == ExtraFieldId::INFO_ZIP_UNICODE_PATH);
    let names = fields.filter_map(|(_, field)| match field {
        [1, a, b, c, d, name @ ..] if u32::from_le_bytes([*a, *b, *c, *d]) == crc32fast::hash(raw) => Some(name),
        _ => None,
    });
    names.last().map(|name| if name.is_empty() { raw.to_vec() } else { name.to_vec() })
}

fn from_cp437(name: &[u8]) -> Vec<u8> {
    let high: Vec<char> = CP437.chars().collect();
    let text: String = name
        .iter()
        .map(|byte| match byte.checked_sub(128) {
            None => char::from(*byte),
            Some(at) => high.get(usize::from(at)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        })
        .collect();
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cp437_has_a_character_for_every_byte() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(from_cp437(b"a\x81\xe1\xff"), "a\u{fc}\u{df}\u{a0}".as_bytes());
    }

    #[test]
    fn dots_are_removed_as_by_unzip() {
        for (name, path, is_folder, has_dot_dot) in [
            ("a/b", "a/b", false, false),
            ("/a", "a", false, false),
            ("//a//b/", "a/b", true, false),
            ("./a/./b", "a/b", false, false),
            ("../a", "a", false, true),
            ("a/../b", "a/b", false, true),
            ("a/../../", "a", true, true),
            ("../", "", true, true),
            ("/", "", true, false),
            (".", "_", false, false),
            ("a/..", "a/__", false, false),
            ("", "", false, false),
            ("...", "...", false, false),
        ] {
            let expected = Name { path: path.into(), is_folder, has_dot_dot };
            assert_eq!(clean(name.as_bytes()), Ok(expected), "{name}");
        }
        assert!(clean(&b"x".repeat(256)).is_err());
    }
}
