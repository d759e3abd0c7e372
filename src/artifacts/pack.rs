//! A folder becomes a zip archive, written as a stream.
//!
//! The same tree gives the same bytes: names are sorted, every time is 1980-01-01 (the first that zip can say), and of the
//! owner and mode only the permission bits are stored. A symbolic link is stored as a link, wherever it points.

use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt};
use flate2::write::DeflateEncoder;
use rawzip::extra_fields::ExtraFieldId;
use rawzip::path::EntryPath;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, Header, ZipArchiveWriter};
use rustix::fs::OFlags;

use super::Staged;
use super::error::{Problem, shown};
use super::links::{Link, Links, TooMuch};
use super::names::DEEPEST;
use super::stop::Stop;

const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

struct Entry {
    path: String,
    /// The type and the permission bits.
    mode: u32,
    /// What a link points to.
    target: Option<String>,
}

/// Writes the folder `from` as a zip archive. Blocks; nothing is written before the whole tree was looked through.
pub(super) fn pack(from: &Path, to: impl Write, stop: &Stop) -> Result<Staged, Problem> {
    let root = open_root(from)?;
    let entries = survey(&root, stop)?;
    let mut archive = ZipArchiveWriter::builder().with_capacity(entries.len()).build(to);
    let mut bytes = 0;
    for entry in &entries {
        stop.check()?;
        bytes += write_entry(&mut archive, entry, &root, stop)?;
    }
    archive.finish().map_err(sending)?;
    Ok(Staged { bytes, entries: entries.len() as u64 })
}

/// Opens the folder itself, never what a link in its place points to: the command that filled it can replace it.
fn open_root(from: &Path) -> Result<Dir, Problem> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).custom_flags((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed());
    match options.open(from) {
        Ok(folder) => Ok(Dir::from_std_file(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let text = "a file or a link stands where the output folder was; put the output into the folder itself";
            Err(Problem::Output(text.to_owned()))
        }
        Err(error) => Err(Problem::Output(format!("the output folder can't be opened: {error}"))),
    }
}

/// Lists the tree, every folder before what is in it, sorted by name.
fn survey(root: &Dir, stop: &Stop) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    let mut links = Links::default();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        stop.check()?;
        let unreadable = |error: &io::Error| cannot(&folder, "be listed", error);
        let open = if folder.is_empty() { root.try_clone() } else { root.open_dir(&folder) };
        let open = open.map_err(|error| unreadable(&error))?;
        for found in open.entries().map_err(|error| unreadable(&error))? {
            let found = found.map_err(|error| unreadable(&error))?;
            let name = found.file_name();
            let Some(name) = name.to_str() else {
                let text = format!(
                    "the name `{}` in the output folder is not UTF-8; rename it",
                    shown(&*name.to_string_lossy())
                );
                return Err(Problem::Output(text));
            };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if path.split('/').count() > DEEPEST {
                let text = format!("`{}` in the output folder is more than {DEEPEST} folders deep", shown(&path));
                return Err(Problem::Output(format!("{text}; make the tree flatter")));
            }
            let metadata = open.symlink_metadata(name).map_err(|error| cannot(&path, "be read", &error))?;
            let permissions = metadata.mode() & 0o777;
            let kind = metadata.file_type();
            if kind.is_dir() {
                folders.push(path.clone());
                entries.push(Entry { path, mode: FOLDER | permissions, target: None });
            } else if kind.is_symlink() {
                let target = open.read_link_contents(name).map_err(|error| cannot(&path, "be read", &error))?;
                let Some(target) = target.to_str() else {
                    return Err(Problem::Output(format!("the link `{}` has a target that is not UTF-8", shown(&path))));
                };
                let link = Link { target: target.into(), modified: None };
                if let Err(TooMuch) = links.insert(path.clone().into(), link) {
                    return Err(Problem::Output(format!("the output folder {}", TooMuch::TEXT)));
                }
                entries.push(Entry { path, mode: LINK | 0o777, target: Some(target.to_owned()) });
            } else if kind.is_file() {
                entries.push(Entry { path, mode: REGULAR | permissions, target: None });
            } else {
                let text = format!(
                    "`{}` is a device, a socket or a named pipe, which an artifact can't hold; remove it",
                    shown(&path)
                );
                return Err(Problem::Output(text));
            }
        }
    }
    entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

fn write_entry<W: Write>(
    archive: &mut ZipArchiveWriter<W>,
    entry: &Entry,
    root: &Dir,
    stop: &Stop,
) -> Result<u64, Problem> {
    let time = UtcDateTime::from_components(1980, 1, 1, 0, 0, 0, 0).ok_or(Problem::Interrupted)?;
    if entry.mode & TYPE == FOLDER {
        let name = format!("{}/", entry.path);
        let mut builder = archive.new_dir(entry_path(&name)).unix_permissions(entry.mode).last_modified(time);
        if let Some(field) = unicode_path(&name) {
            builder =
                builder.extra_field(ExtraFieldId::INFO_ZIP_UNICODE_PATH, &field, Header::default()).map_err(sending)?;
        }
        builder.create().map_err(sending)?;
        return Ok(0);
    }
    let method = if entry.target.is_some() { CompressionMethod::STORE } else { CompressionMethod::DEFLATE };
    let mut builder = archive
        .new_file(entry_path(&entry.path))
        .compression_method(method)
        .unix_permissions(entry.mode)
        .last_modified(time);
    if let Some(field) = unicode_path(&entry.path) {
        builder =
            builder.extra_field(ExtraFieldId::INFO_ZIP_UNICODE_PATH, &field, Header::default()).map_err(sending)?;
    }
    let (mut body, config) = builder.start().map_err(sending)?;
    let (size, descriptor) = match &entry.target {
        Some(target) => {
            let mut content = config.wrap(&mut body);
            content.write_all(target.as_bytes()).map_err(|error| Problem::inside(&error, |_| Problem::Interrupted))?;
            (0, content.finish().map_err(sending)?.1)
        }
        None => {
            let mut content = config.wrap(DeflateEncoder::new(&mut body, flate2::Compression::default()));
            let size = copy_file(root, &entry.path, &mut content, stop)?;
            let (encoder, descriptor) = content.finish().map_err(sending)?;
            encoder.finish().map_err(|error| Problem::inside(&error, |_| Problem::Interrupted))?;
            (size, descriptor)
        }
    };
    body.finish(descriptor).map_err(sending)?;
    Ok(size)
}

fn copy_file(root: &Dir, path: &str, to: &mut impl Write, stop: &Stop) -> Result<u64, Problem> {
    let unreadable = |error: &io::Error| cannot(path, "be read", error);
    let mut options = OpenOptions::new();
    // Neither follows a link nor waits for a pipe's writer, should the file have become one since the survey.
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let mut file = root.open_with(path, &options).map_err(|error| unreadable(&error))?;
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        stop.check()?;
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        to.write_all(&buffer[..count]).map_err(|error| Problem::inside(&error, |_| Problem::Interrupted))?;
        size += count as u64;
    }
}

/// The library cleans names up: it takes a backslash for a separator and cuts at colons. Both are ordinary characters in
/// Linux names, so names with them are written as they are.
fn needs_verbatim(name: &str) -> bool {
    name.contains(['\\', ':'])
}

fn entry_path(name: &str) -> EntryPath<'_> {
    if needs_verbatim(name) { EntryPath::verbatim(name.as_bytes()) } else { EntryPath::conformant(name) }
}

/// Names that are written verbatim lack the flag that says UTF-8; Info-ZIP's extra field 0x7075 says it for them:
/// a version, the CRC-32 of the name in the header, and the name in UTF-8 (APPNOTE 4.6.9).
fn unicode_path(name: &str) -> Option<Vec<u8>> {
    if !needs_verbatim(name) || name.is_ascii() {
        return None;
    }
    let mut field = vec![1];
    field.extend_from_slice(&crc32fast::hash(name.as_bytes()).to_le_bytes());
    field.extend_from_slice(name.as_bytes());
    Some(field)
}

fn cannot(path: &str, what: &str, error: &io::Error) -> Problem {
    let path = if path.is_empty() {
        "the output folder".to_owned()
    } else {
        format!("`{}` in the output folder", shown(path))
    };
    Problem::Output(format!("{path} can't {what}: {error}"))
}

/// An error of the zip library: it is the receiver's, which has stopped, or a limit of the format.
fn sending(error: rawzip::Error) -> Problem {
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => Problem::inside(&error, |_| Problem::Interrupted),
        kind => Problem::Output(format!("the output folder can't become a zip archive: {kind}")),
    }
}
