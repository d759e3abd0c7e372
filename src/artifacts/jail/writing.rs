//! A file that is being unpacked.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::super::error::Problem;
use super::{Attributes, Jail};

const BUFFER_BYTES: usize = 64 * 1024;

/// A file that is being unpacked. Its content comes in pieces and holes.
pub(in super::super) struct Writing<'j, 'a> {
    jail: &'j Jail<'a>,
    path: &'j [u8],
    file: File,
    size: u64,
    ends_in_a_hole: bool,
}

impl<'j, 'a> Writing<'j, 'a> {
    pub(super) fn new(jail: &'j Jail<'a>, path: &'j [u8], file: File) -> Self {
        Self { jail, path, file, size: 0, ends_in_a_hole: false }
    }

    /// Appends all of `from`. Returns its size.
    pub(in super::super) fn copy(
        &mut self,
        from: &mut dyn Read,
        broken: impl Fn(&io::Error) -> Problem,
    ) -> Result<u64, Problem> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let before = self.size;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(self.size - before),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Problem::inside(&error, &broken)),
            };
            self.jail.stop.check()?;
            self.jail.tally.add_bytes(count as u64)?;
            self.file.write_all(&buffer[..count]).map_err(|error| self.unwritten(&error))?;
            self.size += count as u64;
            self.ends_in_a_hole = false;
        }
    }

    /// Appends zeros that take no room on the disk. They count as bytes.
    pub(in super::super) fn hole(&mut self, bytes: u64) -> Result<(), Problem> {
        if bytes == 0 {
            return Ok(());
        }
        self.jail.tally.add_bytes(bytes)?;
        self.size += bytes;
        self.file.seek(SeekFrom::Start(self.size)).map_err(|error| self.unwritten(&error))?;
        self.ends_in_a_hole = true;
        Ok(())
    }

    /// Sets mode and time. Returns the file's size.
    pub(in super::super) fn finish(self, attributes: Attributes) -> Result<u64, Problem> {
        if self.ends_in_a_hole {
            self.file.set_len(self.size).map_err(|error| self.unwritten(&error))?;
        }
        // Set apart from creation, where the process's umask would clear bits.
        super::end::set_mode(&self.file, attributes.mode).map_err(|error| self.unwritten(&error.into()))?;
        if let Some(modified) = attributes.modified {
            let set = rustix::fs::futimens(&self.file, &super::end::times(modified));
            set.map_err(|error| self.unwritten(&error.into()))?;
        }
        Ok(self.size)
    }

    fn unwritten(&self, error: &io::Error) -> Problem {
        Problem::writing(self.path, error)
    }
}
