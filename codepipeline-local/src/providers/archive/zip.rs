//! Unpacks zips.

use std::borrow::Cow;
use std::io::{Read, Seek};

use ::zip::read::ZipFile;
use ::zip::{System, ZipArchive};

use super::folder::{FILE_MODE, FOLDER_MODE, MAX_TARGET, Unpacking};
use super::name::EntryName;
use super::problem::ArchiveProblem;
use super::visitor::{Choice, Visitor};

/// The bits of a mode that say what a file is (inode(7)).
const KIND: u32 = 0o170_000;

/// The attribute of folders in zips from Windows (MS-DOS's "directory").
const FOLDER_ATTRIBUTE: u32 = 0x10;

pub(super) fn unpack<R: Read + Seek>(reader: R, into: &mut Unpacking<'_>) -> Result<(), ArchiveProblem> {
    let mut archive = ZipArchive::new(reader).map_err(|error| ArchiveProblem::broken("the zip", error))?;
    if archive.has_duplicate_names() {
        return Err(ArchiveProblem::broken("the zip", "two entries have the same name"));
    }
    for index in 0..archive.len() {
        into.count()?;
        let listed = archive.name_for_index(index).and_then(Result::ok).map(Cow::into_owned).unwrap_or_default();
        let mut entry = archive.by_index(index).map_err(|error| ArchiveProblem::broken(&listed, error))?;
        let Some(name) = EntryName::of(&name_of(&entry, &listed))? else { continue };
        match Form::of(&entry) {
            Form::Folder(mode) => into.add_folder(name, mode)?,
            Form::File(mode) => {
                let claimed = entry.size();
                let size = into.add_file(&name, mode, &mut entry)?;
                if size != claimed {
                    return Err(ArchiveProblem::broken(listed, format!("it has {size} bytes instead of {claimed}")));
                }
            }
            Form::Link => {
                let mut target = Vec::new();
                let read = entry.by_ref().take(MAX_TARGET + 1).read_to_end(&mut target);
                read.map_err(|error| ArchiveProblem::broken(&listed, error))?;
                into.add_link(name, &target)?;
            }
            Form::Special => {
                return Err(ArchiveProblem::Special { name: listed, kind: "a device or a pipe".to_owned() });
            }
        }
    }
    Ok(())
}

/// Shows the files to a visitor.
pub(super) fn visit<R: Read + Seek>(reader: R, visitor: &mut impl Visitor) -> Result<(), ArchiveProblem> {
    let mut archive = ZipArchive::new(reader).map_err(|error| ArchiveProblem::broken("the zip", error))?;
    for index in 0..archive.len() {
        let listed = archive.name_for_index(index).and_then(Result::ok).map(Cow::into_owned).unwrap_or_default();
        let (name, bytes, is_file) = {
            // The content may be encrypted, or compressed by an unknown method.
            let entry = archive.by_index_raw(index).map_err(|error| ArchiveProblem::broken(&listed, error))?;
            let name = String::from_utf8_lossy(&name_of(&entry, &listed)).into_owned();
            (name, entry.size(), matches!(Form::of(&entry), Form::File(_)))
        };
        if !is_file {
            continue;
        }
        match visitor.file(&name, bytes) {
            Choice::Next => {}
            Choice::End => return Ok(()),
            Choice::Read => {
                let broken = |error| ArchiveProblem::broken(&name, error);
                let mut entry = archive.by_index(index).map_err(broken)?;
                return visitor.content(&mut entry).map_err(|error| ArchiveProblem::broken(&name, error));
            }
        }
    }
    Ok(())
}

/// The entry's name in bytes. Names that are UTF-8 are taken as they are, because Info-ZIP does not always mark them. Programs on
/// Windows may separate folders with a backslash.
fn name_of<R: Read>(entry: &ZipFile<'_, R>, listed: &str) -> Vec<u8> {
    let raw = entry.name_raw();
    let name = if std::str::from_utf8(raw).is_ok() { raw.to_vec() } else { listed.as_bytes().to_vec() };
    if entry.system() == System::Unix || name.contains(&b'/') {
        return name;
    }
    name.into_iter().map(|byte| if byte == b'\\' { b'/' } else { byte }).collect()
}

/// The kind of an entry, with its mode.
enum Form {
    Folder(Option<u32>),
    File(Option<u32>),
    Link,
    Special,
}

impl Form {
    fn of<R: Read>(entry: &ZipFile<'_, R>) -> Self {
        // Other systems have no modes, and the library would invent some.
        let has_mode = matches!(entry.system(), System::Unix | System::OsDarwin);
        let mode = entry.unix_mode().filter(|mode| *mode != 0 && has_mode);
        let has_attribute = !has_mode && entry.external_attributes() & FOLDER_ATTRIBUTE != 0;
        let end = entry.name_raw().last();
        let is_folder = has_attribute || end == Some(&b'/') || !has_mode && end == Some(&b'\\');
        match mode.map(|mode| mode & KIND) {
            Some(0o120_000) => Self::Link,
            Some(0o040_000) => Self::Folder(mode.or(Some(FOLDER_MODE))),
            Some(0 | 0o100_000) | None if is_folder => Self::Folder(Some(FOLDER_MODE)),
            Some(0 | 0o100_000) | None => Self::File(mode.or(Some(FILE_MODE))),
            Some(_) => Self::Special,
        }
    }
}
