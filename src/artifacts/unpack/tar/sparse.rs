//! Sparse files: regions with content, and holes between them.
//!
//! There are four forms (GNU tar's manual, "Storing Sparse Files"). They keep the regions in different places:
//! - The old form: in the header and in the blocks after it.
//! - Pax 0.0: in two records for each region.
//! - Pax 0.1: in one record.
//! - Pax 1.0: before the content.

use std::io::{self, BufRead, Read};

use super::super::super::error::Problem;
use super::super::super::jail::{Attributes, FolderCache, Jail};
use super::blocks::{BLOCK_BYTES, Blocks, Content, unreadable};
use super::header::{Header, number};
use super::pax::decimal;

/// The limit for the regions of a file. They stay in memory until the file is written: 16 MiB.
const MAX_REGIONS: usize = 1 << 20;
/// The most digits of a 64-bit number.
const MAX_DIGITS: usize = 20;

/// A range of the file that has content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    offset: u64,
    size: u64,
}

/// The regions of a file, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Map {
    regions: Vec<Region>,
    /// The size of the file, holes included.
    size: u64,
}

/// The pax records of a sparse file.
#[derive(Clone, Default)]
pub(super) struct Records {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) offset: u64,
    pub(super) map: Vec<Region>,
}

impl Records {
    /// Adds the region at the last offset (form 0.0).
    pub(super) fn add_region(&mut self, size: u64) -> Result<(), Problem> {
        add(&mut self.map, Region { offset: self.offset, size })
    }

    /// Whether the records describe a sparse file.
    pub(super) fn is_sparse(&self) -> bool {
        self.major > 0 || !self.map.is_empty()
    }

    /// The file's map. Form 1.0 has it at the beginning of the content.
    pub(super) fn map(self, path: &[u8], content: &mut Content<'_, impl Read>) -> Result<Map, Problem> {
        let regions = match (self.major, self.minor) {
            (0, _) => self.map,
            (1, 0) => regions_of_content(content)?,
            (major, minor) => {
                let text =
                    format!("is a sparse file in the unknown form {major}.{minor}; the worker reads 0.0, 0.1 and 1.0");
                return Err(super::refused(path, &text));
            }
        };
        let end = regions.last().map_or(0, |last| last.offset.saturating_add(last.size));
        Map::checked(path, regions, self.size.unwrap_or(end))
    }
}

impl Map {
    /// Reads the blocks after a header in GNU's old form.
    pub(super) fn of_header(path: &[u8], header: &Header, blocks: &mut Blocks<impl Read>) -> Result<Self, Problem> {
        let mut regions = Vec::new();
        let mut is_complete = add_fields(path, &mut regions, header.sparse_regions())?;
        let mut follows = header.has_more_regions();
        while follows {
            let more = blocks.next()?.ok_or_else(|| super::refused(path, "ends within its list of regions"))?;
            is_complete = is_complete || add_fields(path, &mut regions, &more[..504])?;
            follows = more[504] != 0;
        }
        let size = header.sparse_size().ok_or_else(|| super::refused(path, "has no valid size"))?;
        Self::checked(path, regions, size)
    }

    /// Checks that the regions are in order and within the file.
    fn checked(path: &[u8], regions: Vec<Region>, size: u64) -> Result<Self, Problem> {
        let mut at = 0_u64;
        for region in &regions {
            let end = region.offset.checked_add(region.size);
            match end {
                Some(end) if region.offset >= at && end <= size => at = end,
                _ => return Err(super::refused(path, "is a sparse file whose regions overlap or exceed its size")),
            }
        }
        Ok(Self { regions, size })
    }

    /// Writes the file. Reads all of its regions.
    pub(super) fn unpack(
        &self,
        path: &[u8],
        attributes: Attributes,
        content: &mut Content<'_, impl Read>,
        jail: &Jail<'_>,
        cache: &mut FolderCache,
    ) -> Result<(), Problem> {
        let mut file = jail.new_file(path, cache)?;
        let mut at = 0;
        for region in &self.regions {
            file.hole(region.offset - at)?;
            let copied = file.copy(&mut content.take(region.size), unreadable)?;
            if copied != region.size {
                return Err(super::refused(path, "is a sparse file whose content is shorter than its regions"));
            }
            // Every region begins at a block.
            let padding = region.size.wrapping_neg() % BLOCK_BYTES as u64;
            io::copy(&mut content.take(padding), &mut io::sink()).map_err(|error| unreadable(&error))?;
            at = region.offset + region.size;
        }
        file.hole(self.size - at)?;
        file.finish(attributes).map(drop)
    }
}

/// Adds regions in GNU's old form: two numbers of 12 bytes each. Returns whether an empty region ended the list.
fn add_fields(path: &[u8], regions: &mut Vec<Region>, fields: &[u8]) -> Result<bool, Problem> {
    for field in fields.chunks_exact(24) {
        let (offset, size) = field.split_at(12);
        if size[0] == 0 {
            return Ok(true);
        }
        let value = |field| number(field).and_then(|value| u64::try_from(value).ok());
        let (Some(offset), Some(size)) = (value(offset), value(size)) else {
            return Err(super::refused(path, "is a sparse file with damaged regions"));
        };
        add(regions, Region { offset, size })?;
    }
    Ok(false)
}

/// The value of `GNU.sparse.map`: offset, size, offset, size, … (form 0.1).
pub(super) fn map_of_text(value: &mut impl BufRead) -> Result<Vec<Region>, Problem> {
    let mut regions = Vec::new();
    while let Some(offset) = next_number(value, b',')? {
        let size = next_number(value, b',')?.ok_or_else(damaged)?;
        add(&mut regions, Region { offset, size })?;
    }
    Ok(regions)
}

/// The regions before the content: their number, then offsets and sizes, each on a line, in whole blocks (form 1.0).
fn regions_of_content(content: &mut Content<'_, impl Read>) -> Result<Vec<Region>, Problem> {
    let mut map = CountingReader { from: content, count: 0 };
    let mut next = || next_number(&mut map, b'\n')?.ok_or_else(damaged);
    let mut regions = Vec::new();
    for _ in 0..next()? {
        let (offset, size) = (next()?, next()?);
        add(&mut regions, Region { offset, size })?;
    }
    let padding = map.count.wrapping_neg() % BLOCK_BYTES as u64;
    io::copy(&mut content.take(padding), &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(regions)
}

/// Reads a number up to `end` or the end of `from`. Returns `None` if nothing is left.
fn next_number(from: &mut impl BufRead, end: u8) -> Result<Option<u64>, Problem> {
    let mut digits = Vec::new();
    let most = MAX_DIGITS as u64 + 1;
    if from.take(most).read_until(end, &mut digits).map_err(|error| unreadable(&error))? == 0 {
        return Ok(None);
    }
    decimal(digits.strip_suffix(&[end]).unwrap_or(&digits)).map(Some).ok_or_else(damaged)
}

fn add(regions: &mut Vec<Region>, region: Region) -> Result<(), Problem> {
    if regions.len() >= MAX_REGIONS {
        let text = format!("the tar archive has a sparse file with more than {MAX_REGIONS} regions");
        return Err(Problem::Archive(text));
    }
    regions.push(region);
    Ok(())
}

fn damaged() -> Problem {
    Problem::Archive("the tar archive has a sparse file whose list of regions is damaged".to_owned())
}

/// Counts the bytes that are read.
struct CountingReader<'c, R> {
    from: &'c mut R,
    count: u64,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for CountingReader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.from.consume(count);
    }
}
