//! An entry's local header. It contains the time, and must agree with the central directory.

use rawzip::extra_fields::{ExtraFieldId, ExtraFields};
use rawzip::time::DosDateTime;
use rawzip::{ReaderAt, ZipEntry, ZipLocalFileHeader};
use rustix::fs::Timespec;

use super::super::super::error::Problem;
use super::index::Entry;
use super::{refused, unreadable};

/// From this date on, Info-ZIP's `unzip` interprets a 32-bit time as unsigned.
const JANUARY_18_2038: u32 = (2038 - 1980) << 25 | 1 << 21 | 18 << 16;
/// The days of a year before each month.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Reads the local header into `fields`. Returns the entry's modification time.
///
/// Like unzip, uses the name in the central directory. A program that reads the archive from its start would unpack another
/// content if the method or the size differed.
pub(super) fn modified<R: ReaderAt>(
    body: &ZipEntry<'_, R>,
    entry: &Entry,
    path: &[u8],
    fields: &mut [u8],
) -> Result<Timespec, Problem> {
    let local = body.local_header(fields).map_err(|error| unreadable(path, error))?;
    let disagrees = |what: &str| {
        let text = format!("has a different {what} in its local header than in the central directory");
        Err(refused(path, &text))
    };
    if local.compression_method() != entry.method {
        return disagrees("compression method");
    }
    if local.flags().is_encrypted() {
        return disagrees("encryption flag");
    }
    // A streaming writer stores the size after the data or only in the central directory.
    let packed = local.compressed_size_hint();
    let is_unknown = local.flags().has_data_descriptor() || packed == 0 || packed == u64::from(u32::MAX);
    if !is_unknown && packed != entry.wayfinder.compressed_size_hint() {
        return disagrees("size");
    }
    Ok(Timespec { tv_sec: seconds(&local), tv_nsec: 0 })
}

/// The time as unzip reads it: from Info-ZIP's extra fields, or else the DOS time in UTC.
fn seconds(local: &ZipLocalFileHeader<'_>) -> i64 {
    let dos = local.last_modified_dos();
    unix_time(local.extra_fields(), packed(dos)).unwrap_or_else(|| dos_time(dos))
}

fn packed(dos: DosDateTime) -> u32 {
    u32::from(dos.packed_date()) << 16 | u32::from(dos.packed_time())
}

/// The time of the extra field UT, or of the older fields. A UT field overrides them, even if it has no time.
fn unix_time(fields: ExtraFields<'_>, dos: u32) -> Option<i64> {
    let mut time = None;
    let mut has_newer = false;
    for (id, field) in fields {
        let number = match (id, field) {
            (ExtraFieldId::EXTENDED_TIMESTAMP, [flags, rest @ ..]) => {
                (time, has_newer) = (None, true);
                rest.first_chunk().filter(|_| flags & 1 != 0)
            }
            (ExtraFieldId::INFO_ZIP_UNIX | ExtraFieldId::INFO_ZIP_UNIX_UID_GID, _) => {
                has_newer = true;
                None
            }
            // The time of the last access comes first.
            (ExtraFieldId::INFO_ZIP_UNIX_ORIGINAL | ExtraFieldId::UNIX, [_, _, _, _, rest @ ..]) if !has_newer => {
                rest.first_chunk()
            }
            _ => None,
        };
        let Some(number) = number.copied().map(u32::from_le_bytes) else { continue };
        // This is before 1970 or after 2038. The DOS time decides.
        time = (number < 1 << 31 || dos >= JANUARY_18_2038).then_some(i64::from(number));
    }
    time
}

/// Seconds since 1970. As in unzip, numbers beyond a month or a day carry over into the next.
fn dos_time(dos: DosDateTime) -> i64 {
    let (date, time) = (i64::from(dos.packed_date()), i64::from(dos.packed_time()));
    let (year, month, day) = (1980 + (date >> 9), date >> 5 & 0xf, date & 0x1f);
    let at = (month - 1).clamp(0, 14) as usize;
    let leap = if at > 1 && year % 4 == 0 && year != 2100 { 1 } else { 0 };
    let before = DAYS_BEFORE[at % 12] + if at >= 12 { 365 } else { 0 };
    let days = (year - 1970) * 365 + (year - 1) / 4 - 492 + before + leap + day - 1;
    days * 86_400 + (time >> 11) * 3600 + (time >> 5 & 0x3f) * 60 + (time & 0x1f) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: u32 = 1_000_000_001;

    /// A field with a number after `before`.
    fn field(id: u16, before: &[u8], number: u32) -> Vec<u8> {
        let length = u16::try_from(before.len() + 4).unwrap();
        [&id.to_le_bytes()[..], &length.to_le_bytes(), before, &number.to_le_bytes()].concat()
    }

    fn found(fields: &[Vec<u8>], dos: u32) -> Option<i64> {
        unix_time(ExtraFields::new(&fields.concat()), dos)
    }

    #[test]
    fn unix_times_are_those_of_unzip() {
        let ut = |time| field(0x5455, &[1], time);
        let old = |time| field(0x5855, &[0; 4], time);
        let at = Some(i64::from(TIME));
        assert_eq!(found(&[ut(TIME)], 0), at);
        assert_eq!(found(&[old(TIME)], 0), at);
        assert_eq!(found(&[old(1), ut(TIME)], 0), at);
        assert_eq!(found(&[ut(TIME), old(1)], 0), at);
        assert_eq!(found(&[field(0x5455, &[2], TIME), old(1)], 0), None);
        assert_eq!(found(&[ut(u32::MAX - 4)], 0), None);
        assert_eq!(found(&[ut(u32::MAX - 4)], u32::MAX), Some(4_294_967_291));
        assert_eq!(found(&[vec![0x55, 0x54, 1, 0, 1]], 0), None);
        assert_eq!(found(&[], 0), None);
    }

    /// The seconds are those of `TZ=UTC unzip`.
    #[test]
    fn odd_dos_times_are_those_of_unzip() {
        let date = |year: u16, month: u16, day: u16| (year - 1980) << 9 | month << 5 | day;
        for (date, time, expected) in [
            (date(2025, 1, 1), 12 << 11, 1_735_732_800),
            (0, 0, 315_446_400),
            (date(1985, 0, 3), 0, 473_558_400),
            (date(1985, 13, 3), 0, 505_094_400),
            (date(1985, 3, 0), 0, 478_396_800),
            (date(2021, 2, 31), 0, 1_614_729_600),
            (date(2021, 2, 3), 25 << 11 | 61 << 5 | 31, 1_612_404_122),
            (date(2024, 3, 1), 0, 1_709_251_200),
            (date(2040, 6, 1), 0, 2_222_121_600),
        ] {
            let header = [&b"PK\x03\x04"[..], &[0; 6], &u16::to_le_bytes(time), &date.to_le_bytes(), &[0; 16]].concat();
            let mut archive = header.clone();
            archive.extend(directory_of(&header));
            let archive = rawzip::ZipArchive::from_slice(&archive).unwrap();
            let entry = archive.entries().next_entry().unwrap().unwrap();
            let local = archive.get_entry(entry.wayfinder()).unwrap();
            assert_eq!(dos_time(local.local_header().last_modified_dos()), expected, "{date:#x} {time:#x}");
        }
    }

    /// A central directory with one entry. The archive begins with its local header.
    fn directory_of(local: &[u8]) -> Vec<u8> {
        let mut directory = b"PK\x01\x02".to_vec();
        directory.extend([0; 42]);
        let (size, begin) = (directory.len() as u32, local.len() as u32);
        directory.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        directory.extend([size.to_le_bytes(), begin.to_le_bytes()].concat());
        directory.extend([0, 0]);
        directory
    }
}
