//! Packs a folder into a zip archive, written as a stream.
//!
//! The same tree gives the same bytes. Names are sorted, every entry has the same date, and only the permission bits of owner
//! and mode are stored. A symbolic link is data: it is stored unchanged and never followed.
//!
//! Sockets, named pipes and devices are skipped with a warning, as Info-ZIP's `zip` does. A helper process of a build often
//! leaves its socket behind, and no consumer can use it.

use std::io::{self, Write};
use std::path::Path;

use cap_std::fs::Dir;

use super::error::{Problem, shown};
use super::limits::UnpackLimits;
use super::stop::Stop;
use super::{Staged, processors};
use in_order::{Crew, in_order};
use root::open_root;
use tasks::{Buffers, Tasks, Worker};
use tree::Tree;
use writer::Writer;
use zip::BLOCK_BYTES;

mod file;
mod in_order;
mod queue;
mod root;
mod tasks;
mod tree;
mod writer;
mod zip;

/// The most threads for one output. A Lambda function has at most 6 cores.
const MAX_THREADS: usize = 8;

/// Writes the folder `from` as a zip archive. Blocks. Lists the whole tree before it writes anything.
///
/// As many threads as there are cores deflate the files. They have ended when this returns.
pub(super) fn pack(from: &Path, to: impl Write, limits: UnpackLimits, stop: &Stop) -> Result<Staged, Problem> {
    pack_with(processors().min(MAX_THREADS), from, to, limits, stop)
}

fn pack_with(
    threads: usize,
    from: &Path,
    to: impl Write,
    limits: UnpackLimits,
    stop: &Stop,
) -> Result<Staged, Problem> {
    let root = open_root(from)?;
    let tree = Tree::list(&root, limits, stop)?;
    if let Some(entries) = tree.special.text() {
        tracing::warn!(entries, "skipped sockets, named pipes and devices in the output artifact");
    }
    let bytes = write_tree(threads, &tree, &root, to, stop)?;
    Ok(Staged { bytes, entries: tree.entries.len() as u64 })
}

/// Writes the archive. Returns the sum of the files' sizes.
fn write_tree(threads: usize, tree: &Tree, root: &Dir, to: impl Write, stop: &Stop) -> Result<u64, Problem> {
    let buffers = Buffers::default();
    let tasks = Tasks::new(&tree.entries, root, stop, &buffers);
    let mut writer = Writer::new(to, root, stop, &buffers);
    let new_worker = || {
        let mut worker = Worker::new(root, stop, &buffers);
        move |task| worker.run(task)
    };
    in_order(crew(threads, tree), tasks, new_worker, |done| {
        // All tasks may have ended before the stop, so writing checks too.
        stop.check()?;
        writer.write(done?)
    })?;
    writer.finish()
}

/// Two blocks wait for each thread, so that none is idle while the archive's next bytes are written. One thread has nothing
/// to wait for. A small output is packed faster than a thread starts.
fn crew(threads: usize, tree: &Tree) -> Crew {
    let bytes = tree.entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
    let useful = usize::try_from(bytes / BLOCK_BYTES as u64).unwrap_or(usize::MAX).saturating_add(1);
    let threads = threads.min(useful);
    let blocks = if threads == 1 { 1 } else { 2 * threads + 2 };
    Crew { threads, bytes_in_flight: blocks * BLOCK_BYTES }
}

fn could_not(what: &str, path: &str, error: &io::Error) -> Problem {
    let path = if path.is_empty() {
        "the output folder".to_owned()
    } else {
        format!("`{}` in the output folder", shown(path))
    };
    Problem::Output(format!("could not {what} {path}: {error}"))
}

/// The problem behind an error of writing the archive: its receiver has stopped, or a name exceeds zip's 65,535 bytes.
fn write_problem(error: &io::Error) -> Problem {
    Problem::inside(error, |error| match error.kind() {
        io::ErrorKind::InvalidFilename => Problem::Output(
            "a path in the output folder has more than 65,535 bytes; use fewer nested folders".to_owned(),
        ),
        _ => Problem::Interrupted,
    })
}

#[cfg(test)]
mod tests;
