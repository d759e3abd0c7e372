//! Joins the parts of an upload into the file of a blob.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::super::checksum::{Algorithm, Hash, Sum};

/// The size of reads from a part.
const READ_SIZE: usize = 256 * 1024;

/// Writes all bytes of `parts`, one after another, into the existing file `into`. Blocks. Returns their checksum if
/// `algorithm` is given. Each part is opened only when it is read, because an upload may have 10,000. A caller that has
/// gone does not end it.
///
/// # Errors
/// Returns `UnexpectedEof` if a part does not have its size, and any other error of the file system.
pub(super) fn join(parts: &[(PathBuf, u64)], into: &PathBuf, algorithm: Option<Algorithm>) -> io::Result<Option<Sum>> {
    let mut joined = OpenOptions::new().write(true).truncate(true).open(into)?;
    let mut hash = algorithm.map(Hash::new);
    let mut buffer = vec![0; READ_SIZE];
    for (path, size) in parts {
        let mut part = File::open(path)?.take(*size);
        while part.limit() > 0 {
            let count = part.read(&mut buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(hash) = &mut hash {
                hash.update(&buffer[..count]);
            }
            joined.write_all(&buffer[..count])?;
        }
    }
    Ok(hash.map(Hash::finish))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_the_checksum_covers_them() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            (folder.path().join(name), bytes.len() as u64)
        };
        let long: Vec<u8> = (0..READ_SIZE + 10).map(|at| at as u8).collect();
        let parts = [part("1", &long), part("2", b""), part("3", b"end")];
        let into = folder.path().join("joined");
        std::fs::write(&into, b"").unwrap();
        let whole = [&long[..], b"end"].concat();

        assert_eq!(join(&parts, &into, None).unwrap(), None);
        assert_eq!(std::fs::read(&into).unwrap(), whole);
        let mut expected = Hash::new(Algorithm::Crc64Nvme);
        expected.update(&whole);
        assert_eq!(join(&parts, &into, Some(Algorithm::Crc64Nvme)).unwrap(), Some(expected.finish()));
        assert_eq!(std::fs::read(&into).unwrap(), whole);
    }

    #[test]
    fn a_part_that_is_too_short_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (part, into) = (folder.path().join("part"), folder.path().join("joined"));
        std::fs::write(&part, b"abc").unwrap();
        std::fs::write(&into, b"").unwrap();
        let error = join(&[(part, 4)], &into, None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
