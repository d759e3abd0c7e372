//! Reads an archive from a part of it in memory, and elsewhere through a lane.

use std::io;
use std::ops::Range;

use rawzip::ReaderAt;

use super::super::super::lane::{Lane, Object};

/// A part of the object in memory. A lane reads what is outside of it.
pub(super) struct Window<O> {
    /// Where the part begins in the object.
    start: u64,
    length: usize,
    /// Begins with the part. It may be longer, because a later part uses it again.
    buffer: Vec<u8>,
    lane: Lane<O>,
}

impl<O: Object> Window<O> {
    /// A window without a part in memory.
    pub(super) fn new(lane: Lane<O>) -> Self {
        Self { start: 0, length: 0, buffer: Vec::new(), lane }
    }

    /// Reads the bytes of `part` with another lane. The window is shorter if the object ends before. The caller limits the
    /// size of a part.
    pub(super) fn load(&mut self, part: Range<u64>, with: &Lane<O>) -> io::Result<()> {
        let wanted = usize::try_from(part.end.saturating_sub(part.start)).map_err(io::Error::other)?;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
        (self.start, self.length) = (part.start, 0);
        while self.length < wanted {
            let count = with.read_at(&mut self.buffer[self.length..wanted], self.start + self.length as u64)?;
            if count == 0 {
                break;
            }
            self.length += count;
        }
        Ok(())
    }

    /// The bytes of a range, if all of them are in memory.
    pub(super) fn bytes(&self, (start, end): (u64, u64)) -> Option<&[u8]> {
        let at = |offset: u64| usize::try_from(offset.checked_sub(self.start)?).ok();
        self.buffer[..self.length].get(at(start)?..at(end)?)
    }
}

impl<O: Object> ReaderAt for Window<O> {
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(bytes) = self.bytes((offset, self.start + self.length as u64)).filter(|bytes| !bytes.is_empty())
        else {
            return self.lane.read_at(to, offset);
        };
        let count = to.len().min(bytes.len());
        to[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl<O: Object> Clone for Window<O> {
    /// A window over the same object, without a part in memory.
    fn clone(&self) -> Self {
        Self::new(self.lane.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::lane::memory;
    use super::*;

    #[test]
    fn reads_inside_and_outside_return_the_bytes() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let content: Vec<u8> = (0..100).collect();
        let source = memory::source(content.clone(), runtime.handle());
        let mut window = Window::new(source.lane(100, 1));
        let with = source.lane(100, 1);
        for part in [0..0, 10..30, 5..8, 90..120] {
            window.load(part.clone(), &with).unwrap();
            for (offset, length) in [(0, 5), (5, 3), (10, 20), (29, 5), (88, 12), (99, 1)] {
                let mut found = vec![0; length];
                window.read_exact_at(&mut found, offset as u64).unwrap();
                assert_eq!(found, content[offset..offset + length], "{part:?} {offset}");
            }
            assert_eq!(window.read_at(&mut [0; 4], 100).unwrap(), 0);
        }
        assert_eq!(window.bytes((90, 100)), Some(&content[90..]));
        for outside in [(89, 95), (95, 101), (101, 101), (95, 94)] {
            assert_eq!(window.bytes(outside), None, "{outside:?}");
        }
    }
}
