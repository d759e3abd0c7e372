//! Tar archives in the formats of Unix V7, POSIX and GNU. Checksums are correct, but any other field may be wrong.

use arbitrary::Arbitrary;

use crate::damage::{Content, Damage, MAX_ARCHIVE_BYTES};
use crate::names::Name;
use crate::sparse::Sparse;

pub(crate) const BLOCK: usize = 512;

#[derive(Arbitrary, Debug)]
pub struct Tar<'a> {
    entries: Vec<Entry<'a>>,
    end_blocks: u8,
    damage: Damage,
}

#[derive(Arbitrary, Debug)]
struct Entry<'a> {
    form: Form,
    kind: Kind,
    name: Name<'a>,
    target: Name<'a>,
    content: Content<'a>,
    sparse: Option<Sparse>,
    mode: Option<&'a [u8]>,
    size: Option<Size<'a>>,
    extensions: Vec<Extension<'a>>,
    /// Overwrites any bytes of the header before the checksum is set.
    overwrites: Option<[(u16, u8); 4]>,
}

#[derive(Arbitrary, Debug)]
enum Form {
    V7,
    Posix,
    Gnu,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    File,
    OldFile,
    HardLink,
    Link,
    Folder,
    Continuous,
    Sparse,
    Any(u8),
}

#[derive(Arbitrary, Debug)]
enum Size<'a> {
    Octal(u32),
    /// GNU's binary form, for large numbers.
    Binary(u64),
    Raw(&'a [u8]),
}

/// An extended header for the next entry.
#[derive(Arbitrary, Debug)]
enum Extension<'a> {
    LongName(Name<'a>),
    LongTarget(Name<'a>),
    Global(&'a [u8]),
    Pax(Key<'a>, &'a [u8]),
    PaxName(Name<'a>),
    PaxTarget(Name<'a>),
    PaxSize(u64),
    PaxTime(i64),
    PaxRaw(&'a [u8]),
    /// A name of this many times 32 bytes. The longest one exceeds the limit for names.
    Huge(u8),
}

#[derive(Arbitrary, Debug)]
enum Key<'a> {
    Sparse,
    Mode,
    Owner,
    Any(&'a [u8]),
}

impl Tar<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut archive = Vec::new();
        for entry in self.entries.iter().take(64) {
            entry.write(&mut archive);
            if archive.len() > MAX_ARCHIVE_BYTES {
                break;
            }
        }
        archive.resize(archive.len() + usize::from(self.end_blocks % 4) * BLOCK, 0);
        self.damage.apply(&mut archive);
        archive
    }
}

impl Entry<'_> {
    fn write(&self, archive: &mut Vec<u8>) {
        for extension in self.extensions.iter().take(4) {
            extension.write(archive);
        }
        let mut content = self.content.bytes(archive);
        if let Some(sparse) = &self.sparse {
            sparse.write_before(archive, &mut content);
        }
        let kind = match self.kind {
            Kind::File => b'0',
            Kind::OldFile => 0,
            Kind::HardLink => b'1',
            Kind::Link => b'2',
            Kind::Folder => b'5',
            Kind::Continuous => b'7',
            Kind::Sparse => b'S',
            Kind::Any(kind) => kind,
        };
        let has_content = !matches!(self.kind, Kind::HardLink | Kind::Link | Kind::Folder);
        let content = if has_content { &content[..] } else { &[][..] };
        let mut header = header(kind, &self.name.bytes(), content.len());
        fill(&mut header[157..257], &self.target.bytes());
        match self.form {
            Form::V7 => {}
            Form::Posix => header[257..265].copy_from_slice(b"ustar\x0000"),
            Form::Gnu => header[257..265].copy_from_slice(b"ustar  \0"),
        }
        if let Some(mode) = self.mode {
            fill(&mut header[100..108], mode);
        }
        match self.size {
            Some(Size::Octal(size)) => fill(&mut header[124..136], format!("{size:011o}\0").as_bytes()),
            Some(Size::Binary(size)) => {
                header[124..128].copy_from_slice(&[0x80, 0, 0, 0]);
                header[128..136].copy_from_slice(&size.to_be_bytes());
            }
            Some(Size::Raw(raw)) => fill(&mut header[124..136], raw),
            None => {}
        }
        let mut more = Vec::new();
        if let Some(sparse) = &self.sparse {
            more = sparse.write_into(&mut header);
        }
        for (at, byte) in self.overwrites.iter().flatten() {
            header[usize::from(*at) % BLOCK] = *byte;
        }
        put(archive, header, &more);
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
}

impl Extension<'_> {
    fn write(&self, archive: &mut Vec<u8>) {
        match self {
            Self::LongName(name) => long(archive, b'L', &name.bytes()),
            Self::LongTarget(name) => long(archive, b'K', &name.bytes()),
            Self::Global(records) => put(archive, header(b'g', b"pax_global_header", records.len()), records),
            Self::Pax(key, value) => {
                let key = match key {
                    Key::Sparse => b"GNU.sparse.major",
                    Key::Mode => &b"SCHILY.mode"[..],
                    Key::Owner => b"uid",
                    Key::Any(key) => key,
                };
                pax(archive, key, value);
            }
            Self::PaxName(name) => pax(archive, b"path", &name.bytes()),
            Self::PaxTarget(name) => pax(archive, b"linkpath", &name.bytes()),
            Self::PaxSize(size) => pax(archive, b"size", size.to_string().as_bytes()),
            Self::PaxTime(time) => pax(archive, b"mtime", format!("{time}.5").as_bytes()),
            Self::PaxRaw(records) => put(archive, header(b'x', b"pax", records.len()), records),
            Self::Huge(u8::MAX) => long(archive, b'L', &vec![b'x'; 1100 * 1024]),
            Self::Huge(count) => long(archive, b'L', &vec![b'x'; usize::from(*count) * 32]),
        }
    }
}

fn long(archive: &mut Vec<u8>, kind: u8, text: &[u8]) {
    let mut text = text.to_vec();
    text.push(0);
    let mut header = header(kind, b"././@LongLink", text.len());
    header[257..265].copy_from_slice(b"ustar  \0");
    put(archive, header, &text);
}

fn pax(archive: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let record = pax_record(key, value);
    let mut header = header(b'x', b"pax", record.len());
    header[257..265].copy_from_slice(b"ustar\x0000");
    put(archive, header, &record);
}

pub(crate) fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

pub(crate) fn header(kind: u8, name: &[u8], size: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    fill(&mut header[..100], name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    fill(&mut header[124..136], format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header
}

pub(crate) fn put(archive: &mut Vec<u8>, mut header: [u8; BLOCK], content: &[u8]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend(header);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

pub(crate) fn fill(field: &mut [u8], with: &[u8]) {
    let count = field.len().min(with.len());
    field[..count].copy_from_slice(&with[..count]);
}
