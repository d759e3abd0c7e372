//! Any entry of a tar archive, with any name, type and size.

use ::tar::{EntryType, Header};
use proptest::prelude::*;

use super::super::hostile::{any_content, any_name, any_target};

#[derive(Clone, Debug)]
pub(super) struct Any {
    kind: u8,
    name: Vec<u8>,
    target: Vec<u8>,
    content: Vec<u8>,
    mode: u32,
    long: Long,
    /// Regions of a sparse file: the size of the hole before each, and its own size.
    sparse: Option<(Sparse, Vec<(u64, u64)>)>,
    pub(super) lie: Option<Lie>,
}

#[derive(Clone, Copy, Debug)]
enum Sparse {
    Pax00,
    Pax01,
    Pax10,
}

/// Where the name and the target are if they don't fit into the header (and sometimes if they do).
#[derive(Clone, Debug)]
enum Long {
    Gnu,
    Pax,
    /// In both forms, with a different name in the second.
    Both(Vec<u8>),
    /// A different name before it in the same records.
    Twice(Vec<u8>),
    /// A different name in the records for all entries.
    Global(Vec<u8>),
}

#[derive(Clone, Debug)]
pub(super) enum Lie {
    Size(u64),
    PaxSize(u64),
    Raw(usize, u8),
}

pub(super) fn any_entry() -> impl Strategy<Value = Any> {
    let kind = prop_oneof![
        8 => Just(b'0'),
        3 => Just(b'5'),
        3 => Just(b'2'),
        2 => Just(b'1'),
        1 => prop::sample::select(b"\x0034679gxSV".to_vec()),
    ];
    let lie = prop_oneof![
        prop_oneof![0..2000_u64, any::<u64>()].prop_map(Lie::Size),
        prop_oneof![0..2000_u64, any::<u64>()].prop_map(Lie::PaxSize),
        (0..512_usize, any::<u8>()).prop_map(|(at, byte)| Lie::Raw(at, byte)),
    ];
    let names = (any_name(), prop_oneof![2 => any_target(), 1 => "[abc](/[abc])?".prop_map(String::into_bytes)]);
    let mode = prop_oneof![Just(0o644), Just(0o755), Just(0o4777), Just(0), 0..0o10000_u32];
    let other = || "[abc]".prop_map(String::into_bytes);
    let long = prop_oneof![
        9 => Just(Long::Gnu),
        9 => Just(Long::Pax),
        1 => other().prop_map(Long::Both),
        1 => other().prop_map(Long::Twice),
        1 => other().prop_map(Long::Global),
    ];
    let form = prop::sample::select(vec![Sparse::Pax00, Sparse::Pax01, Sparse::Pax10]);
    let sparse = (form, prop::collection::vec((0..700_u64, 1..700_u64), 0..4));
    let sparse = prop::option::weighted(0.1, sparse);
    (kind, names, any_content(), mode, long, sparse, prop::option::weighted(0.1, lie)).prop_map(
        |(kind, (name, target), content, mode, long, sparse, lie)| {
            let content = if matches!(kind, b'1' | b'2' | b'5') { Vec::new() } else { content };
            let sparse = sparse.filter(|_| matches!(kind, b'0'));
            Any { kind, name, target, content, mode, long, sparse, lie }
        },
    )
}

/// The records and the content of a sparse file that ends in a hole. Each region begins at a block.
fn sparse_file(form: Sparse, regions: &[(u64, u64)]) -> (Vec<u8>, Vec<u8>) {
    let mut content = Vec::new();
    let mut map = Vec::new();
    let mut at = 0;
    for (number, (before, size)) in regions.iter().enumerate() {
        map.push((at + before, *size));
        at += before + size;
        content.resize(content.len().next_multiple_of(512), 0);
        content.extend(vec![b'a' + u8::try_from(number).unwrap(); usize::try_from(*size).unwrap()]);
    }
    let size = at + 99;
    map.push((size, 0));
    let numbers = |between: &str| {
        map.iter().map(|(offset, size)| format!("{offset}{between}{size}")).collect::<Vec<_>>().join(between)
    };
    let (size, count) = (size.to_string(), map.len().to_string());
    let of = |key: &str, value: &str| record(&format!("GNU.sparse.{key}"), value.as_bytes());
    let mut records = match form {
        Sparse::Pax00 | Sparse::Pax01 => [of("size", &size), of("numblocks", &count)].concat(),
        Sparse::Pax10 => [of("major", "1"), of("minor", "0"), of("realsize", &size)].concat(),
    };
    match form {
        Sparse::Pax00 => {
            for (offset, size) in &map {
                records.extend([of("offset", &offset.to_string()), of("numbytes", &size.to_string())].concat());
            }
        }
        Sparse::Pax01 => records.extend(of("map", &numbers(","))),
        Sparse::Pax10 => {
            let mut front = format!("{count}\n{}\n", numbers("\n")).into_bytes();
            front.resize(front.len().next_multiple_of(512), 0);
            content.splice(..0, front);
        }
    }
    (records, content)
}

impl Any {
    pub(super) fn write(&self, archive: &mut Vec<u8>) {
        let is_link = matches!(self.kind, b'1' | b'2');
        let gnu = |archive: &mut Vec<u8>, kind, text: &[u8]| {
            put(archive, header(kind, b"././@LongLink", b"", text.len() + 1, 0), &[text, b"\0"].concat());
        };
        let pax = |archive: &mut Vec<u8>, kind, records: &[u8]| {
            put(archive, header(kind, b"pax", b"", records.len(), 0), records);
        };
        if matches!(self.long, Long::Both(_)) || (matches!(self.long, Long::Gnu) && self.name.len() > 100) {
            gnu(archive, b'L', &self.name);
        }
        if is_link && !matches!(self.long, Long::Pax) && self.target.len() > 100 {
            gnu(archive, b'K', &self.target);
        }
        let mut records = match &self.long {
            Long::Gnu | Long::Global(_) => Vec::new(),
            Long::Pax => record("path", &self.name),
            Long::Both(other) => record("path", other),
            Long::Twice(other) => [record("path", other), record("path", &self.name)].concat(),
        };
        if is_link && matches!(self.long, Long::Pax) {
            records.extend(record("linkpath", &self.target));
        }
        if let Some(Lie::PaxSize(size)) = self.lie {
            records.extend(record("size", size.to_string().as_bytes()));
        }
        let mut content = self.content.clone();
        if let Some((form, regions)) = &self.sparse {
            let (more, packed) = sparse_file(*form, regions);
            records.extend(more);
            content = packed;
        }
        if !records.is_empty() {
            pax(archive, b'x', &records);
        }
        if let Long::Global(other) = &self.long {
            pax(archive, b'g', &record("path", other));
        }
        let target = if is_link { &self.target[..] } else { b"" };
        let mut header = header(self.kind, &self.name, target, content.len(), self.mode);
        header.set_mtime(u64::from(self.mode) * 1000);
        if self.sparse.is_some() {
            // GNU tar derives the form of a sparse file from its header.
            header.as_mut_bytes()[257..265].copy_from_slice(b"ustar\x0000");
        }
        match self.lie {
            Some(Lie::Size(size)) => header.set_size(size),
            // Without POSIX's magic, GNU tar treats the map of a sparse file as content. No program writes such an archive.
            Some(Lie::Raw(257..265, _)) if self.sparse.is_some() => {}
            Some(Lie::Raw(at, byte)) => header.as_mut_bytes()[at] = byte,
            _ => {}
        }
        put(archive, header, &content);
    }
}

fn header(kind: u8, name: &[u8], target: &[u8], size: usize, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::new(kind));
    header.set_size(size as u64);
    header.set_mode(mode);
    let gnu = header.as_gnu_mut().unwrap();
    for (field, text) in [(&mut gnu.name, name), (&mut gnu.linkname, target)] {
        let length = text.len().min(100);
        field[..length].copy_from_slice(&text[..length]);
    }
    header
}

fn put(archive: &mut Vec<u8>, mut header: Header, content: &[u8]) {
    header.set_cksum();
    archive.extend(header.as_bytes());
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let digits = (1..).find(|digits| (rest.len() + digits).to_string().len() == *digits).unwrap();
    [(rest.len() + digits).to_string().as_bytes(), &rest].concat()
}
