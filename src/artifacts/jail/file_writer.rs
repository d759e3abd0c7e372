//! Writes a file of the artifact.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::super::error::Problem;
use super::{Attributes, Jail};

const BUFFER_BYTES: usize = 64 * 1024;

/// A file that is being written, as a sequence of pieces and holes.
pub(in super::super) struct FileWriter<'j, 'a> {
    jail: &'j Jail<'a>,
    path: &'j [u8],
    file: File,
    size: u64,
    ends_in_a_hole: bool,
}

impl<'j, 'a> FileWriter<'j, 'a> {
    pub(super) fn new(jail: &'j Jail<'a>, path: &'j [u8], file: File) -> Self {
        Self { jail, path, file, size: 0, ends_in_a_hole: false }
    }

    /// Appends all of `from`. Returns its size.
    pub(in super::super) fn copy(
        &mut self,
        from: &mut dyn Read,
        unreadable: impl Fn(&io::Error) -> Problem,
    ) -> Result<u64, Problem> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let before = self.size;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(self.size - before),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Problem::inside(&error, &unreadable)),
            };
            self.append(&buffer[..count])?;
        }
    }

    /// Appends bytes. An archive may lie about its sizes, so each piece counts before it is written.
    pub(in super::super) fn append(&mut self, piece: &[u8]) -> Result<(), Problem> {
        self.jail.stop.check()?;
        self.jail.tally.add_bytes(piece.len() as u64)?;
        self.file.write_all(piece).map_err(|error| self.write_problem(&error))?;
        self.size += piece.len() as u64;
        self.ends_in_a_hole = false;
        Ok(())
    }

    /// Appends zeros that take no room on the disk. They count towards the limit of bytes.
    pub(in super::super) fn hole(&mut self, bytes: u64) -> Result<(), Problem> {
        if bytes == 0 {
            return Ok(());
        }
        self.jail.tally.add_bytes(bytes)?;
        self.size += bytes;
        self.file.seek(SeekFrom::Start(self.size)).map_err(|error| self.write_problem(&error))?;
        self.ends_in_a_hole = true;
        Ok(())
    }

    /// Sets the mode and the time. Returns the file's size.
    pub(in super::super) fn finish(self, attributes: Attributes) -> Result<u64, Problem> {
        if self.ends_in_a_hole {
            self.file.set_len(self.size).map_err(|error| self.write_problem(&error))?;
        }
        // Not set at creation, because the process's umask would clear bits.
        super::finish::set_mode(&self.file, attributes.mode).map_err(|error| self.write_problem(&error.into()))?;
        if let Some(modified) = attributes.modified {
            let set = rustix::fs::futimens(&self.file, &super::finish::times(modified));
            set.map_err(|error| self.write_problem(&error.into()))?;
        }
        Ok(self.size)
    }

    fn write_problem(&self, error: &io::Error) -> Problem {
        Problem::writing(self.path, error)
    }
}
