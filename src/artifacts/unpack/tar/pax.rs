//! Pax records: what stands before an entry and says more of it than its header can (POSIX, `pax` utility).
//!
//! The library acts on them; here, those are refused that other readers act on otherwise, since an archive that says
//! different things to different readers is made to deceive one of them.

use std::io::Read;

use tar::Entry;

use super::{MOST_HEADER_BYTES, broken, refused};
use crate::artifacts::error::Problem;

/// What records can say of an entry that makes another one of it.
const DECISIVE: [&[u8]; 3] = [b"path", b"linkpath", b"size"];

/// Checks the records of one entry.
pub(super) fn check<R: Read>(entry: &mut Entry<'_, R>, path: &[u8]) -> Result<(), Problem> {
    let [name, target, size] = decisive_records(entry, path)?;
    // A long name in GNU's form comes first here, and last elsewhere.
    let other_name = name.is_some_and(|name| name[..] != entry.path_bytes()[..]);
    let is_link = entry.header().entry_type().is_symlink() || entry.header().entry_type().is_hard_link();
    let other_target = is_link && target.is_some_and(|target| Some(&target[..]) != entry.link_name_bytes().as_deref());
    if other_name || other_target {
        return Err(refused(path, "has another name or target in its pax records than in GNU's form"));
    }
    // The library goes by the header where it can't read the record.
    let is_number = |size: &[u8]| !size.is_empty() && size.iter().all(u8::is_ascii_digit);
    if size.is_some_and(|size| !is_number(&size)) {
        return Err(refused(path, "has a pax record `size` that is no number"));
    }
    Ok(())
}

/// Checks records for all entries that follow: the library takes none of them into account, others all.
pub(super) fn check_global<R: Read>(entry: &mut Entry<'_, R>) -> Result<(), Problem> {
    const NAME: &[u8] = b"pax_global_header";
    if entry.size() > MOST_HEADER_BYTES {
        return Err(refused(NAME, "has more than 1 MiB of pax records"));
    }
    if decisive_records(entry, NAME)?.iter().any(Option::is_some) {
        return Err(refused(NAME, "has pax records that give all entries the same name, target or size"));
    }
    Ok(())
}

/// The values of the [`DECISIVE`] records.
fn decisive_records<R: Read>(entry: &mut Entry<'_, R>, path: &[u8]) -> Result<[Option<Vec<u8>>; 3], Problem> {
    let mut found = [None, None, None];
    let Some(records) = entry.pax_extensions().map_err(|error| broken(&error))? else { return Ok(found) };
    for record in records {
        let record = record.map_err(|_| refused(path, "has damaged pax records"))?;
        if record.key_bytes().starts_with(b"GNU.sparse.") {
            // They would come out as their map and data instead of their content.
            return Err(refused(path, "is a sparse file in pax form; make the archive without `--sparse`"));
        }
        let Some(at) = DECISIVE.iter().position(|key| *key == record.key_bytes()) else { continue };
        // The first of several counts here, and the last elsewhere; an empty one takes back what was said before.
        if found[at].is_some() || record.value_bytes().is_empty() {
            return Err(refused(path, "has a name, target or size that is empty or comes twice in its pax records"));
        }
        found[at] = Some(record.value_bytes().to_owned());
    }
    Ok(found)
}
