//! The compression alone: the worker's libraries on all cores, with checksums, from memory to memory, without files and network.
//! No staging of compressible content can be faster. Change this file with `src/artifacts/unpack/zip/` and
//! `src/artifacts/pack/zip/`, whose libraries, level and limits it repeats.
//!
//! All content is deflated. The worker stores content that is compressed already, so it may be faster than this.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use rawzip::{CompressionMethod, ZipArchive};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Failed;

/// A smaller entry is inflated whole.
const WHOLE_BYTES: u64 = 2 * 1024 * 1024;
const LEVEL: u8 = 4;
const BLOCK_LEVEL: u8 = 6;
/// Unpacked bytes at a time, as many as stay in the processor's cache.
const CHUNK: usize = 128 * 1024;
/// A large file is cut into blocks, so that all cores can deflate it.
const BLOCK: usize = 512 * 1024;

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
    measure(&entries, Inflater::new, |inflater, (data, verifier)| {
        let (crc, size) = match verifier.uncompressed_size {
            size if size <= WHOLE_BYTES => inflater.whole(data, size as usize)?,
            _ => inflate_stream(data)?,
        };
        let expected = verifier.valid(rawzip::ZipVerification { crc, uncompressed_size: size });
        expected.map(|()| size).map_err(|error| error.to_string())
    })
}

struct Inflater {
    library: Decompressor,
    buffer: Vec<u8>,
}

impl Inflater {
    fn new() -> Self {
        Self { library: Decompressor::new(), buffer: Vec::new() }
    }

    fn whole(&mut self, data: &[u8], size: usize) -> Result<(u32, u64), String> {
        self.buffer.resize(size.max(self.buffer.len()), 0);
        let inflated = self.library.deflate_decompress(data, &mut self.buffer[..size]);
        let count = inflated.map_err(|error| error.to_string())?;
        Ok((crc32fast::hash(&self.buffer[..count]), count as u64))
    }
}

fn inflate_stream(mut data: &[u8]) -> Result<(u32, u64), String> {
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
    let contents = files(folder)?.into_iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let cut = |content: &'_ Vec<u8>| content.len() >= BLOCK;
    let blocks: Vec<_> =
        contents.iter().flat_map(|content| content.chunks(BLOCK).map(move |block| (block, cut(content)))).collect();
    measure(&blocks, Deflater::new, |deflater, (block, cut)| deflater.block(block, *cut))
}

struct Deflater {
    whole: Compressor,
    blocks: Compressor,
    buffer: Vec<u8>,
}

impl Deflater {
    fn new() -> Self {
        let level = |level: u8| Compressor::new(CompressionLvl::new(level.into()).unwrap_or_default());
        Self { whole: level(LEVEL), blocks: level(BLOCK_LEVEL), buffer: Vec::new() }
    }

    /// Deflates a whole file, or a block of one that was cut. Returns the size of the result.
    fn block(&mut self, content: &[u8], cut: bool) -> Result<u64, String> {
        let library = if cut { &mut self.blocks } else { &mut self.whole };
        let most = library.deflate_compress_bound(content.len());
        self.buffer.resize(most.max(self.buffer.len()), 0);
        black_box(crc32fast::hash(content));
        let deflated = library.deflate_compress(content, &mut self.buffer);
        deflated.map(|count| count as u64).map_err(|error| error.to_string())
    }
}

/// Does each piece of work once, on all cores that the process may use. Each thread has a library of its own.
fn measure<T: Sync, L>(
    pieces: &[T],
    library: impl Fn() -> L + Sync,
    work: impl Fn(&mut L, &T) -> Result<u64, String> + Sync,
) -> Result<Value, Failed> {
    let threads = thread::available_parallelism()?.get();
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Ok::<u64, String>(0)));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let pieces = std::iter::from_fn(|| pieces.get(next.fetch_add(1, Ordering::Relaxed)));
                let mut library = library();
                let own = pieces.map(|piece| work(&mut library, piece)).sum::<Result<u64, String>>();
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
