//! Packs a folder as a zip, and unpacks a zip.

use std::fs::File;
use std::io::{self, Cursor, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Packs `folder` as a zip in memory, because a demo's source is small. Omits build output and version control.
pub(crate) fn zipped(folder: &Path) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut archive, folder, folder)?;
    Ok(archive.finish()?.into_inner())
}

fn add(archive: &mut ZipWriter<Cursor<Vec<u8>>>, root: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if ["target", ".git"].iter().any(|skipped| entry.file_name() == *skipped) {
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        if kind.is_dir() {
            archive.add_directory(name, options)?;
            add(archive, root, &path)?;
        } else if kind.is_symlink() {
            archive.add_symlink(name, std::fs::read_link(&path)?.to_string_lossy(), options)?;
        } else if kind.is_file() {
            archive.start_file(name, options.unix_permissions(entry.metadata()?.permissions().mode()))?;
            io::copy(&mut File::open(&path)?, archive)?;
        }
    }
    archive.flush()
}

/// Unpacks a zip into the new folder `folder`.
pub(crate) fn unpack(zip: Vec<u8>, folder: &Path) -> io::Result<()> {
    ZipArchive::new(Cursor::new(zip))?.extract(folder)?;
    Ok(())
}
