//! The compression alone: the worker's libraries on all cores, with checksums, from memory to memory, without files and network.
//! No staging can be faster. Change this file with the libraries of `src/artifacts/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use rawzip::{CompressionMethod, ZipArchive};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Failed;

/// Unpacked bytes at a time, as many as stay in the processor's cache.
const CHUNK: usize = 128 * 1024;
/// A large file is cut into blocks, so that all cores can deflate it.
const BLOCK: usize = 256 * 1024;
/// A block may repeat this many bytes of the block before it.
const DICTIONARY: usize = 32 * 1024;

/// Inflates all entries of a zip. One entry takes one core.
pub(crate) fn inflate(zip: &Path) -> Result<Value, Failed> {
    let zip = fs::read(zip)?;
    let archive = ZipArchive::from_slice(&zip)?;
    let mut entries = Vec::new();
    let mut records = archive.entries();
    while let Some(record) = records.next_entry()? {
        let entry = archive.get_entry(record.wayfinder())?;
        match record.compression_method() {
            CompressionMethod::DEFLATE => entries.push((entry.data(), entry.claim_verifier())),
            CompressionMethod::STORE if record.is_dir() => {}
            _ => return Err("the zip has an entry that is not deflated".into()),
        }
    }
    measure(&entries, |(data, verifier)| {
        let (crc, size) = inflate_one(data)?;
        let expected = verifier.valid(rawzip::ZipVerification { crc, uncompressed_size: size });
        expected.map(|()| size).map_err(|error| error.to_string())
    })
}

fn inflate_one(mut data: &[u8]) -> Result<(u32, u64), String> {
    let mut inflater = Decompress::new(false);
    let mut crc = Hasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(data, &mut chunk, FlushDecompress::None).map_err(|error| error.to_string())?;
        data = &data[(inflater.total_in() - read) as usize..];
        let fresh = (inflater.total_out() - written) as usize;
        crc.update(&chunk[..fresh]);
        match status {
            Status::StreamEnd => return Ok((crc.finalize(), inflater.total_out())),
            _ if fresh == 0 => return Err("the zip is cut off".to_owned()),
            _ => {}
        }
    }
}

/// Deflates all files of a folder, large ones in blocks.
pub(crate) fn deflate(folder: &Path) -> Result<Value, Failed> {
    let mut contents = Vec::new();
    for file in files(folder)? {
        contents.push(fs::read(file)?);
    }
    let mut blocks = Vec::new();
    for content in &contents {
        let begins = (0..content.len().max(1)).step_by(BLOCK);
        blocks.extend(begins.map(|begin| (content.as_slice(), begin)));
    }
    measure(&blocks, |(content, begin)| deflate_block(content, *begin))
}

/// Returns the size of the deflated block.
fn deflate_block(content: &[u8], begin: usize) -> Result<u64, String> {
    let block = &content[begin..content.len().min(begin + BLOCK)];
    let mut crc = Hasher::new();
    crc.update(block);
    let mut deflater = Compress::new(Compression::default(), false);
    if begin > 0 {
        let dictionary = &content[begin - DICTIONARY..begin];
        deflater.set_dictionary(dictionary).map_err(|error| error.to_string())?;
    }
    let mut deflated = Vec::with_capacity(block.len() + block.len() / 100 + 64);
    let ended =
        deflater.compress_vec(block, &mut deflated, FlushCompress::Finish).map_err(|error| error.to_string())?;
    if ended == Status::StreamEnd {
        Ok(deflated.len() as u64)
    } else {
        Err("a block did not fit into its buffer".to_owned())
    }
}

/// Does each piece of work once, on all cores that the process may use.
fn measure<T: Sync>(pieces: &[T], work: impl Fn(&T) -> Result<u64, String> + Sync) -> Result<Value, Failed> {
    let threads = thread::available_parallelism()?.get();
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Ok::<u64, String>(0)));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let pieces = std::iter::from_fn(|| pieces.get(next.fetch_add(1, Ordering::Relaxed)));
                let own = pieces.map(&work).sum::<Result<u64, String>>();
                let mut total = total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                *total = match (&*total, own) {
                    (Ok(others), Ok(own)) => Ok(others + own),
                    (Err(error), _) => Err(error.clone()),
                    (_, Err(error)) => Err(error),
                };
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let bytes = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)?;
    Ok(json!({"seconds": seconds, "bytes": bytes, "threads": threads}))
}

/// All files below the folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => found.extend(files(&entry.path())?),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort();
    Ok(found)
}
