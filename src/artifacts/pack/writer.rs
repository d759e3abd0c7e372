//! Writes the results of tasks to the archive, in order.

use std::io::Write;

use cap_std::fs::Dir;

use super::super::error::Problem;
use super::super::stop::Stop;
use super::file::{Blocks, OpenFile};
use super::tasks::{Buffers, Done, Task, Worker};
use super::tree::Entry;
use super::write_problem;
use super::zip::{Archive, Unfinished};

/// The archive, and the file whose blocks are being written.
pub(super) struct Writer<'t, W> {
    archive: Archive<W>,
    root: &'t Dir,
    stop: &'t Stop,
    buffers: &'t Buffers,
    unfinished: Option<Unfinished<'t>>,
    /// The sum of the files' sizes.
    bytes: u64,
}

impl<'t, W: Write> Writer<'t, W> {
    pub(super) fn new(to: W, root: &'t Dir, stop: &'t Stop, buffers: &'t Buffers) -> Self {
        Self { archive: Archive::new(to), root, stop, buffers, unfinished: None, bytes: 0 }
    }

    pub(super) fn write(&mut self, done: Done<'t>) -> Result<(), Problem> {
        let archive = &mut self.archive;
        let written = match done {
            Done::Folder(entry) => archive.folder(&format!("{}/", entry.path), entry.mode),
            Done::Link(entry, target) => archive.link(&entry.path, entry.mode, &target),
            Done::File(entry, content) => {
                self.bytes += content.unpacked;
                archive.file(&entry.path, entry.mode, &content)
            }
            Done::Begin(entry, size) => {
                archive.begin(&entry.path, entry.mode, size).map(|file| self.unfinished = Some(file))
            }
            Done::Block(content) => {
                let appended = self.unfinished.as_mut().map_or(Ok(()), |file| archive.append(file, &content));
                self.buffers.put(content.bytes);
                appended
            }
            Done::End => match self.unfinished.take() {
                Some(file) => archive.end_blocks(file).map(|size| self.bytes += size),
                None => Ok(()),
            },
            Done::Grown(entry, file) => return self.write_grown(entry, file),
        };
        written.map_err(|error| write_problem(&error))
    }

    /// Writes a file that was expected to be short, on this thread alone.
    fn write_grown(&mut self, entry: &'t Entry, file: OpenFile<'t>) -> Result<(), Problem> {
        self.write(Done::Begin(entry, file.size))?;
        let (mut worker, mut blocks) = (Worker::new(self.root, self.stop, self.buffers), Blocks::new(file));
        while let Some(block) = blocks.next(self.buffers.take())? {
            self.write(worker.run(Task::Block(block))?)?;
        }
        self.write(Done::End)
    }

    /// Ends the archive. Returns the sum of the files' sizes.
    pub(super) fn finish(self) -> Result<u64, Problem> {
        self.archive.finish().map_err(|error| write_problem(&error))?;
        Ok(self.bytes)
    }
}
