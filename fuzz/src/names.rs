//! Names of entries and targets of links: names that collide, contain `..`, have another meaning on other systems, or are too long.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub struct Name<'a> {
    absolute: bool,
    parts: Vec<Part<'a>>,
    trailing_slash: bool,
}

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    A,
    B,
    C,
    UpperA,
    Dot,
    Up,
    Empty,
    Backslash,
    Drive,
    Nul,
    /// `ü` in one code point, and in two.
    Composed,
    Decomposed,
    NotUtf8,
    /// 255 bytes, or one more.
    Long(bool),
    Many(u8),
    Raw(&'a [u8]),
}

impl Name<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut name = Vec::new();
        if self.absolute {
            name.push(b'/');
        }
        for (at, part) in self.parts.iter().take(16).enumerate() {
            if at > 0 {
                name.push(b'/');
            }
            part.write(&mut name);
        }
        if self.trailing_slash {
            name.push(b'/');
        }
        name
    }
}

impl Part<'_> {
    fn write(&self, name: &mut Vec<u8>) {
        match self {
            Self::A => name.push(b'a'),
            Self::B => name.push(b'b'),
            Self::C => name.push(b'c'),
            Self::UpperA => name.push(b'A'),
            Self::Dot => name.push(b'.'),
            Self::Up => name.extend(b".."),
            Self::Empty => {}
            Self::Backslash => name.extend(b"..\\x"),
            Self::Drive => name.extend(b"C:x"),
            Self::Nul => name.extend(b"a\0b"),
            Self::Composed => name.extend("\u{fc}".as_bytes()),
            Self::Decomposed => name.extend("u\u{308}".as_bytes()),
            Self::NotUtf8 => name.extend([0xff, 0xfe]),
            Self::Long(one_more) => name.extend(vec![b'x'; 255 + usize::from(*one_more)]),
            Self::Many(count) => name.extend(b"d/".repeat(usize::from(*count) + 1)),
            Self::Raw(bytes) => name.extend(&bytes[..bytes.len().min(64)]),
        }
    }
}
