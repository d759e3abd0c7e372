//! The bytes that a read returns: all, a range, or a part.

use s3s::dto::{Checksum as Sums, ChecksumMode, Range};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::catalog::Record;
use super::checksum::Sum;

/// The bytes of a read, and the headers about them.
pub(super) struct Reading {
    pub(super) start: u64,
    pub(super) length: u64,
    /// `Content-Range`; `None` if the read asks for the whole object.
    pub(super) content_range: Option<String>,
    pub(super) parts_count: Option<i32>,
    pub(super) sums: Sums,
}

impl Reading {
    pub(super) fn of(
        record: &Record,
        range: Option<Range>,
        part_number: Option<i32>,
        checksum_mode: Option<&ChecksumMode>,
    ) -> S3Result<Self> {
        let mut reading = match (range, part_number) {
            (Some(_), Some(_)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "Cannot specify both Range header and partNumber query parameter"
                ));
            }
            (None, None) => Self::whole(record),
            (Some(range), None) => Self::range(record, range)?,
            (None, Some(number)) => Self::part(record, number)?,
        };
        if checksum_mode.is_none_or(|mode| mode.as_str() != ChecksumMode::ENABLED) {
            reading.sums = Sums::default();
        }
        Ok(reading)
    }

    fn whole(record: &Record) -> Self {
        let sums = record.details.sums();
        Self { start: 0, length: record.size, content_range: None, parts_count: None, sums }
    }

    /// A range of the object. A range of all bytes has the object's checksum (S3 API Reference, GetObject).
    fn range(record: &Record, range: Range) -> S3Result<Self> {
        let size = record.size;
        let outside = |_| {
            let range = range.to_header_string();
            s3_error!(InvalidRange, "The range {} is outside of the object's {} bytes", range, size)
        };
        let range = range.check(size).map_err(outside)?;
        let (start, length) = (range.start, range.end - range.start);
        let sums = if length == size { record.details.sums() } else { Sums::default() };
        Ok(Self { start, length, content_range: content_range(start, length, size), parts_count: None, sums })
    }

    /// A part of the object. An object from a single upload is one part, without a number of parts (S3 API Reference,
    /// GetObject).
    fn part(record: &Record, number: i32) -> S3Result<Self> {
        if !(1..=10_000).contains(&number) {
            return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
        }
        let parts = &record.details.parts;
        if parts.is_empty() && number == 1 {
            return Ok(Self { content_range: content_range(0, record.size, record.size), ..Self::whole(record) });
        }
        let mut start = 0;
        for part in parts {
            if part.number == number {
                let kind = record.details.checksum.as_ref().map(|checksum| checksum.kind.answered());
                let sums = part.sum.as_ref().map(Sum::members).unwrap_or_default();
                let checksum_type = kind.filter(|_| part.sum.is_some());
                return Ok(Self {
                    start,
                    length: part.size,
                    content_range: content_range(start, part.size, record.size),
                    parts_count: i32::try_from(parts.len()).ok(),
                    sums: Sums { checksum_type, ..sums },
                });
            }
            start += part.size;
        }
        let code = S3ErrorCode::Custom("InvalidPartNumber".into());
        let mut error = S3Error::with_message(code, "The requested partnumber is not satisfiable");
        error.set_status_code(http::StatusCode::RANGE_NOT_SATISFIABLE);
        Err(error)
    }

    pub(super) fn content_length(&self) -> Option<i64> {
        i64::try_from(self.length).ok()
    }
}

/// An empty read has no range.
fn content_range(start: u64, length: u64, size: u64) -> Option<String> {
    (length > 0).then(|| format!("bytes {start}-{}/{size}", start + length - 1))
}

/// Puts a read into the output of `GetObject` or `HeadObject`.
macro_rules! give_reading {
    ($output:expr, $reading:expr, $details:expr) => {{
        $output.content_length = $reading.content_length();
        $output.content_range = $reading.content_range;
        $output.parts_count = $reading.parts_count;
        $output.checksum_type = $reading.sums.checksum_type.clone();
        $output.storage_class = $details.storage_class.answered();
        super::checksum::give_sums!($output, $reading.sums);
    }};
}

pub(super) use give_reading;
