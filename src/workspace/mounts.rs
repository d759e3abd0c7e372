//! Mount points.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// All mount points that this process sees, including bind mounts. A device number would not reveal those.
pub(super) fn points() -> io::Result<Vec<PathBuf>> {
    Ok(parse(&std::fs::read("/proc/self/mountinfo")?))
}

/// Reads the fifth field of each line. It contains spaces, tabs, newlines and backslashes as octal escapes (proc(5)).
fn parse(mountinfo: &[u8]) -> Vec<PathBuf> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let fields = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    fields.map(|field| PathBuf::from(OsString::from_vec(unescaped(field)))).collect()
}

fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_spaces_and_backslashes_are_read() {
        let mountinfo = b"22 1 0:21 / /proc rw - proc proc rw\n40 22 0:35 /a /tmp/with\\040a\\134b rw shared:1 - ext4 /dev/vda rw\n";
        assert_eq!(parse(mountinfo), [PathBuf::from("/proc"), PathBuf::from("/tmp/with a\\b")]);
        assert_eq!(parse(b"1 0 0:1 / /odd\\9 rw\n"), [PathBuf::from("/odd\\9")]);
    }

    #[test]
    fn this_process_has_mount_points() {
        assert!(points().unwrap().contains(&PathBuf::from("/proc")));
    }
}
