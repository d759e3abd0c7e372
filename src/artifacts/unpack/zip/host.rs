//! The system that wrote an entry, and the entry's attributes there (APPNOTE 4.4.2, 4.4.15). Interprets them as Info-ZIP's
//! `unzip` does.

use rawzip::ZipFileHeaderRecord;

use super::index::EntryType;

const FAT: u8 = 0;
const HPFS: u8 = 6;
const NTFS: u8 = 10;
/// Info-ZIP's own number for NTFS.
const NTFS_OF_INFO_ZIP: u8 = 11;
const VFAT: u8 = 14;
const ATARI: u8 = 5;
/// Systems whose attributes contain a Unix mode: VMS, Unix, Atari, QDOS, Acorn, BeOS, Tandem and AtheOS. macOS claims Unix.
const WITH_UNIX_MODE: [u8; 8] = [2, 3, ATARI, 12, 13, 16, 17, 30];
const DOS_READ_ONLY: u32 = 0x01;
const DOS_LABEL: u32 = 0x08;
const DOS_FOLDER: u32 = 0x10;
/// Write permission for the group and others, which the usual umask clears.
const UMASK: u32 = 0o022;

fn of(record: &ZipFileHeaderRecord<'_>) -> u8 {
    record.version_made_by().creator_system().as_u8()
}

/// Whether `\` separates folders on the entry's system.
pub(super) fn separates_with_backslash(record: &ZipFileHeaderRecord<'_>) -> bool {
    matches!(of(record), FAT | HPFS | NTFS | NTFS_OF_INFO_ZIP | VFAT)
}

/// Whether a name without the UTF-8 flag is in a DOS character set. PKZIP for Unix 2.5, 2.6 and 4.0 claims FAT.
pub(super) fn has_dos_characters(record: &ZipFileHeaderRecord<'_>) -> bool {
    let version = record.version_made_by().zip_version();
    match of(record) {
        FAT => record.external_attributes() >> 16 == 0 || !matches!(version, 25 | 26 | 40),
        HPFS => true,
        NTFS_OF_INFO_ZIP => version == 50,
        _ => false,
    }
}

/// Whether the entry is the label of a disk.
pub(super) fn is_label(record: &ZipFileHeaderRecord<'_>) -> bool {
    record.external_attributes() & DOS_LABEL != 0 && matches!(of(record), FAT | HPFS | NTFS_OF_INFO_ZIP | ATARI)
}

/// The type and the permission bits of an entry.
///
/// An entry whose name ends with a separator is a folder. Like unzip, creates files for devices, sockets and named pipes:
/// `... | zip out.zip -` gives its entry the type of the pipe that it reads.
pub(super) fn type_and_mode(record: &ZipFileHeaderRecord<'_>, named_folder: bool) -> (EntryType, u32) {
    let (attributes, unix) = (record.external_attributes(), record.external_attributes() >> 16);
    let host = of(record);
    let (is_folder, mode) = if WITH_UNIX_MODE.contains(&host) {
        let is_folder = named_folder || unix & 0o170_000 == 0o040_000;
        // Some libraries store no mode. unzip then creates a file that its owner can't read.
        let usual = if is_folder { 0o755 } else { 0o644 };
        (is_folder, if unix == 0 { usual } else { unix })
    } else {
        let is_folder = named_folder || attributes & DOS_FOLDER != 0;
        let writes = if attributes & DOS_READ_ONLY == 0 { 0o2 } else { 0 };
        let bits = writes | u32::from(is_folder);
        // PKZIP for Unix claims FAT and writes a Unix mode that agrees with the DOS attributes.
        let agrees = host == FAT && unix & 0o700 == 0o400 | bits << 6;
        (is_folder, if agrees { unix } else { (0o444 | bits << 6 | bits << 3 | bits) & !UMASK })
    };
    // An empty link has no target.
    let is_link = mode & 0o170_000 == 0o120_000 && record.uncompressed_size_hint() > 0;
    let entry_type = match (is_folder, is_link) {
        (true, _) => EntryType::Folder,
        (false, true) => EntryType::Link,
        (false, false) => EntryType::File,
    };
    (entry_type, mode & 0o777)
}
