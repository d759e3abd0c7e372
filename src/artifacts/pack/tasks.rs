//! The tasks of packing: which of them a tree needs, and what a thread does with one.

use std::os::unix::ffi::OsStrExt as _;
use std::slice;
use std::sync::{Mutex, PoisonError};

use cap_std::fs::Dir;

use super::super::error::Problem;
use super::super::stop::Stop;
use super::file::{Block, Blocks, OpenFile};
use super::in_order::Weighed;
use super::tree::{Entry, EntryType};
use super::zip::{BLOCK_BYTES, Deflated, Deflater, WINDOW_BYTES};
use super::{could_not, write_problem};

/// The bytes that a task holds, apart from content. Its path is in the tree.
const LEAST_BYTES: usize = 4 * 1024;

/// A step in the order of the archive.
pub(super) enum Task<'t> {
    /// An entry that is expected to be shorter than a block.
    Entry(&'t Entry),
    /// The beginning of a file that has this size and is cut into blocks.
    Begin(&'t Entry, u64),
    Block(Block),
    End,
}

/// The result of a [`Task`].
pub(super) enum Done<'t> {
    Folder(&'t Entry),
    Link(&'t Entry, Vec<u8>),
    File(&'t Entry, Deflated),
    /// A file that has grown to a block or more since the tree was listed.
    Grown(&'t Entry, OpenFile<'t>),
    Begin(&'t Entry, u64),
    Block(Deflated),
    End,
}

/// Buffers for blocks, which are used again. Otherwise the memory between them would be lost to the next ones.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// Returns a buffer with room for a block and a window. A deflated block has room too: it is at most 50 bytes longer.
    pub(super) fn take(&self) -> Vec<u8> {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        used.unwrap_or_else(|| Vec::with_capacity(WINDOW_BYTES + BLOCK_BYTES))
    }

    pub(super) fn put(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// The tasks of a tree, in order. Reads long files.
pub(super) struct Tasks<'t> {
    entries: slice::Iter<'t, Entry>,
    root: &'t Dir,
    stop: &'t Stop,
    buffers: &'t Buffers,
    /// The file that is being read, and its block that was read last.
    reading: Option<(Blocks<'t>, Option<Block>)>,
}

impl<'t> Tasks<'t> {
    pub(super) fn new(entries: &'t [Entry], root: &'t Dir, stop: &'t Stop, buffers: &'t Buffers) -> Self {
        Self { entries: entries.iter(), root, stop, buffers, reading: None }
    }

    fn try_next(&mut self) -> Result<Option<Task<'t>>, Problem> {
        self.stop.check()?;
        if let Some((mut blocks, read)) = self.reading.take() {
            let block = match read {
                Some(first) => Some(first),
                None => blocks.next(self.buffers.take())?,
            };
            let Some(block) = block else { return Ok(Some(Task::End)) };
            self.reading = Some((blocks, None));
            return Ok(Some(Task::Block(block)));
        }
        let Some(entry) = self.entries.next() else { return Ok(None) };
        if entry.entry_type != EntryType::File || entry.size < BLOCK_BYTES as u64 {
            return Ok(Some(Task::Entry(entry)));
        }
        let file = OpenFile::open(self.root, &entry.path)?;
        let size = file.size;
        let mut blocks = Blocks::new(file);
        match blocks.next(self.buffers.take())? {
            Some(first) if first.is_full() => {
                self.reading = Some((blocks, Some(first)));
                Ok(Some(Task::Begin(entry, size)))
            }
            // The file has shrunk since the tree was listed.
            _ => Ok(Some(Task::Entry(entry))),
        }
    }
}

impl<'t> Iterator for Tasks<'t> {
    type Item = Result<Weighed<Task<'t>>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let task = self.try_next().transpose()?;
        Some(task.map(|task| {
            let bytes = match &task {
                Task::Block(_) => BLOCK_BYTES,
                Task::Entry(entry) => LEAST_BYTES + (entry.size as usize).min(BLOCK_BYTES),
                Task::Begin(..) | Task::End => LEAST_BYTES,
            };
            Weighed { task, bytes }
        }))
    }
}

/// Runs the tasks of one thread.
pub(super) struct Worker<'t> {
    root: &'t Dir,
    stop: &'t Stop,
    buffers: &'t Buffers,
    deflater: Deflater,
    content: Vec<u8>,
}

impl<'t> Worker<'t> {
    pub(super) fn new(root: &'t Dir, stop: &'t Stop, buffers: &'t Buffers) -> Self {
        Self { root, stop, buffers, deflater: Deflater::new(), content: Vec::new() }
    }

    pub(super) fn run(&mut self, task: Task<'t>) -> Result<Done<'t>, Problem> {
        self.stop.check()?;
        match task {
            Task::Entry(entry) => self.entry(entry),
            Task::Begin(entry, size) => Ok(Done::Begin(entry, size)),
            Task::Block(block) => {
                let (before, content) = block.split();
                let deflated = self.deflater.block(before, content, self.buffers.take());
                self.buffers.put(block.into_buffer());
                Ok(Done::Block(deflated.map_err(|error| write_problem(&error))?))
            }
            Task::End => Ok(Done::End),
        }
    }

    fn entry(&mut self, entry: &'t Entry) -> Result<Done<'t>, Problem> {
        match entry.entry_type {
            EntryType::Folder => Ok(Done::Folder(entry)),
            EntryType::Link => {
                let target = self.root.read_link_contents(&entry.path);
                let target = target.map_err(|error| could_not("read", &entry.path, &error))?;
                Ok(Done::Link(entry, target.as_os_str().as_bytes().to_vec()))
            }
            EntryType::File => {
                let mut file = OpenFile::open(self.root, &entry.path)?;
                self.content.resize(BLOCK_BYTES, 0);
                let count = file.read(&mut self.content)?;
                if count == BLOCK_BYTES {
                    file.rewind()?;
                    return Ok(Done::Grown(entry, file));
                }
                let deflated = self.deflater.whole(&self.content[..count]);
                Ok(Done::File(entry, deflated.map_err(|error| write_problem(&error))?))
            }
        }
    }
}
