//! Packs zips.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{BufWriter, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ::zip::result::ZipError;
use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, ZipWriter};

use super::background::Stop;
use super::name::EntryName;
use super::problem::ArchiveProblem;

/// The bytes that are copied at a time.
const CHUNK: usize = 64 * 1024;

/// Writes a zip of these files, each with its name in the archive. Links are kept as links, and folders as entries of their own.
///
/// The same files give the same bytes: entries are sorted by name and have the date 1980-01-01, the first of the format. Returns an
/// error for a name that [`unpack`](super::unpack) would refuse, for a repeated name, and for devices, pipes and sockets.
pub(crate) fn pack(files: &[(String, PathBuf)], into: &Path, stop: &Stop) -> Result<(), ArchiveProblem> {
    let mut sorted = BTreeMap::new();
    for (raw, path) in files {
        let Some(name) = EntryName::of(raw.as_bytes())? else { continue };
        let name = name.to_string();
        if sorted.insert(name.clone(), path).is_some() {
            return Err(ArchiveProblem::Repeated { name });
        }
    }
    let file = File::create(into).map_err(ArchiveProblem::io("create the zip"))?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    for (name, path) in sorted {
        stop.check()?;
        add(&mut zip, &name, path, stop)?;
    }
    let file = zip.finish().map_err(|error| problem("the zip", error))?;
    file.into_inner().map_err(|error| ArchiveProblem::io("write the zip")(error.into_error()))?;
    Ok(())
}

/// Writes a zip of everything in a folder, as [`pack`] does. The zip itself may be in that folder.
pub(crate) fn pack_folder(folder: &Path, into: &Path, stop: &Stop) -> Result<(), ArchiveProblem> {
    pack(&files_of(folder, stop)?, into, stop)
}

/// All files, links and empty folders below a folder, by their names relative to it. Links are not followed.
pub(crate) fn files_of(folder: &Path, stop: &Stop) -> Result<Vec<(String, PathBuf)>, ArchiveProblem> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, path)) = folders.pop() {
        stop.check()?;
        let failed = |error| ArchiveProblem::io(format!("list {}", path.display()))(error);
        let mut is_empty = true;
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            is_empty = false;
            let entry = entry.map_err(failed)?;
            let name = format!("{prefix}{}", text(&entry.file_name())?);
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else {
                found.push((name, entry.path()));
            }
        }
        if is_empty && !prefix.is_empty() {
            found.push((prefix, path));
        }
    }
    found.sort();
    Ok(found)
}

/// A name as text.
fn text(name: &std::ffi::OsStr) -> Result<&str, ArchiveProblem> {
    let not_text = || ArchiveProblem::Name {
        name: String::from_utf8_lossy(name.as_bytes()).into_owned(),
        why: "is not UTF-8, which a zip needs: rename the file",
    };
    name.to_str().ok_or_else(not_text)
}

fn add<W: Write + Seek>(zip: &mut ZipWriter<W>, name: &str, path: &Path, stop: &Stop) -> Result<(), ArchiveProblem> {
    let found = std::fs::symlink_metadata(path).map_err(ArchiveProblem::io(format!("read {name}")))?;
    let options = options(&found);
    let kind = found.file_type();
    if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(ArchiveProblem::io(format!("read the link {name}")))?;
        let target = text(target.as_os_str())?;
        return zip.add_symlink(name, target, options).map_err(|error| problem(name, error));
    }
    if kind.is_dir() {
        return zip.add_directory(name, options).map_err(|error| problem(name, error));
    }
    if !kind.is_file() {
        let kind = if kind.is_fifo() { "a pipe" } else { "a device or a socket" };
        return Err(ArchiveProblem::Special { name: name.to_owned(), kind: kind.to_owned() });
    }
    let mut file = File::open(path).map_err(ArchiveProblem::io(format!("read {name}")))?;
    zip.start_file(name, options).map_err(|error| problem(name, error))?;
    let mut buffer = vec![0; CHUNK];
    loop {
        stop.check()?;
        let read = file.read(&mut buffer).map_err(ArchiveProblem::io(format!("read {name}")))?;
        if read == 0 {
            return Ok(());
        }
        zip.write_all(&buffer[..read]).map_err(ArchiveProblem::io(format!("write {name} to the zip")))?;
    }
}

fn options(found: &Metadata) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(found.permissions().mode() & 0o777)
        .large_file(found.len() >= u64::from(u32::MAX))
}

fn problem(what: &str, error: ZipError) -> ArchiveProblem {
    let what = format!("pack {what}");
    ArchiveProblem::Io { what, error: error.into() }
}
