//! Property test: any zip archive is refused with a message, or unpacks to the content that another reader finds.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use ::zip::result::ZipResult;
use proptest::prelude::*;

use super::craft::{Crafted, deflated, file, zip, zip_that_claims};
use super::hostile::{Damage, any_content, any_damage, any_name, any_target, unpacked_or_refused};
use super::*;

/// An entry, and whether all of its fields are correct.
fn any_entry() -> impl Strategy<Value = (Crafted, bool)> {
    let mode = prop_oneof![Just(0o644), Just(0o755), Just(0o4777), Just(0), 0..0o10000_u32];
    let made = prop_oneof![
        6 => (any_content(), any::<bool>(), mode.clone()).prop_map(|(content, packed, mode)| {
            let whole = if packed { deflated("", &content) } else { file("", &content) };
            Crafted { attributes: (0o100_000 | mode) << 16, ..whole }
        }),
        2 => mode.prop_map(|mode| Crafted { attributes: (0o040_000 | mode) << 16, ..file("", b"") }),
        2 => any_target().prop_map(|target| Crafted { attributes: 0o120_777 << 16, ..file("", &target) }),
        1 => (any::<u32>(), prop::sample::select(vec![0x031e, 0x0014]))
            .prop_map(|(attributes, made_by)| Crafted { attributes, made_by, ..file("", b"x") }),
    ];
    (any_name(), made, prop::option::weighted(0.15, any_lie()))
        .prop_map(|(name, made, lie)| (Crafted { name, ..made }, lie))
        .prop_map(|(entry, lie)| (lie.clone().unwrap_or(Lie::None).apply(entry), lie.is_none()))
}

/// A wrong field of an entry.
#[derive(Clone, Debug)]
enum Lie {
    None,
    Unpacked(u32),
    Packed(u32),
    LocalPacked(u32),
    Checksum(u32),
    Method(u16),
    LocalMethod(u16),
    Flags(u16),
    Offset(u32),
    LocalName(Vec<u8>),
}

fn any_lie() -> impl Strategy<Value = Lie> {
    let number = || prop_oneof![0..300_u32, Just(u32::MAX), any::<u32>()];
    let method = || prop_oneof![Just(0_u16), Just(8), Just(9), Just(12), any::<u16>()];
    prop_oneof![
        number().prop_map(Lie::Unpacked),
        number().prop_map(Lie::Packed),
        number().prop_map(Lie::LocalPacked),
        any::<u32>().prop_map(Lie::Checksum),
        method().prop_map(Lie::Method),
        method().prop_map(Lie::LocalMethod),
        prop_oneof![Just(1_u16), Just(8), Just(0x2041), any::<u16>()].prop_map(Lie::Flags),
        number().prop_map(Lie::Offset),
        any_name().prop_map(Lie::LocalName),
    ]
}

impl Lie {
    fn apply(self, entry: Crafted) -> Crafted {
        match self {
            Self::None => entry,
            Self::Unpacked(unpacked) => Crafted { unpacked, ..entry },
            Self::Packed(packed) => Crafted { packed, ..entry },
            Self::LocalPacked(packed) => Crafted { local_packed: Some(packed), ..entry },
            Self::Checksum(crc) => Crafted { crc, ..entry },
            Self::Method(method) => Crafted { method, ..entry },
            Self::LocalMethod(method) => Crafted { local_method: Some(method), ..entry },
            Self::Flags(flags) => Crafted { flags, ..entry },
            Self::Offset(offset) => Crafted { offset: Some(offset), ..entry },
            Self::LocalName(name) => Crafted { local_name: Some(name), ..entry },
        }
    }
}

/// An archive that contains an archive, several levels deep.
fn nested(levels: usize) -> Vec<u8> {
    (0..levels).fold(zip(&[deflated("bomb", &[0; 500_000])]), |inner, _| {
        zip(&[deflated("inner.zip", &inner), file("again.zip", &inner)])
    })
}

/// The path that unzip creates for a name. `decoded` is the name in UTF-8, if it is in a DOS character set.
fn expected_path(raw: &[u8], decoded: &str, host: u8) -> Vec<u8> {
    let in_dos = matches!(host, 0 | 6) && std::str::from_utf8(raw).is_err();
    let name = if in_dos { decoded.as_bytes() } else { raw };
    let name = name.split(|byte| *byte == 0).next().unwrap();
    let backslash = matches!(host, 0 | 6 | 10 | 11 | 14);
    let separates = |byte: &u8| *byte == b'/' || (backslash && *byte == b'\\');
    let mut parts: Vec<_> = name.split(separates).map(<[u8]>::to_vec).collect();
    let last = match parts.pop().unwrap().as_slice() {
        b"." => b"_".to_vec(),
        b".." => b"__".to_vec(),
        other => other.to_vec(),
    };
    parts.push(last);
    parts.retain(|part| !matches!(part.as_slice(), b"" | b"." | b".."));
    parts.join(&b'/')
}

/// Asserts that the tree is what the `zip` library finds in the archive.
fn assert_equals_other_reader(bytes: &[u8], tree: &Tree, honest: bool) -> ZipResult<()> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes))?;
    // The library does not keep the directory's order if a name occurs twice.
    let mut entries = Vec::new();
    let mut has_label = false;
    let mut parents = BTreeSet::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at)?;
        let header = &bytes[usize::try_from(entry.central_header_start()).unwrap()..];
        let (host, is_label) = (header[5], header[38] & 8 != 0 && matches!(header[5], 0 | 5 | 6 | 11));
        has_label |= is_label;
        if !is_label {
            let path = expected_path(entry.name_raw(), &entry.name()?, host);
            let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
            parents.extend(ends.map(|end| text(OsStr::from_bytes(&path[..end]))));
            // The library treats some unknown types as links.
            let is_link = host == 3 && header[41] & 0xf0 == 0xa0;
            entries.push((entry.central_header_start(), text(OsStr::from_bytes(&path)), host, is_link, at));
        }
    }
    entries.sort();
    let last: BTreeMap<_, _> =
        entries.into_iter().map(|(_, path, host, is_link, at)| (path, (host, is_link, at))).collect();
    for (path, (host, is_link, at)) in &last {
        if path.is_empty() || matches!(&tree[path], Node::Folder(_)) {
            continue;
        }
        let mut entry = archive.by_index(*at)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        match &tree[path] {
            Node::File(_, unpacked) => assert!(*unpacked == content, "the content of {path:?}"),
            Node::Link(target) => assert_eq!(*target, text(OsStr::from_bytes(&content)), "{path:?}"),
            Node::Folder(_) => {}
        }
        let is_link = *is_link && !content.is_empty();
        assert!(!honest || *host != 3 || is_link == matches!(&tree[path], Node::Link(_)), "{path:?}");
    }
    for (path, node) in tree {
        assert!(
            // The library drops a file that has the same name as a later label.
            has_label || last.contains_key(path) || (matches!(node, Node::Folder(_)) && parents.contains(path)),
            "{path:?} is not in the archive"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_zip_is_refused_or_unpacks_as_by_another_reader(
        entries in prop::collection::vec(any_entry(), 0..6),
        claims in prop::option::weighted(0.05, any::<u16>()),
        damage in any_damage(),
    ) {
        let (entries, honest): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let honest = claims.is_none() && matches!(damage, Damage::None) && honest.iter().all(|honest| *honest);
        let count = u16::try_from(entries.len()).unwrap();
        let mut archive = zip_that_claims(&entries, claims.unwrap_or(count));
        damage.apply(&mut archive);
        // An object that does not begin like a zip becomes one file.
        let is_zip = format::detect(&archive, archive.len() as u64) == Format::Zip;
        if let Some(tree) = unpacked_or_refused(archive.clone()) {
            if is_zip {
                let understood = assert_equals_other_reader(&archive, &tree, honest);
                // The other reader also checks fields that the worker ignores, such as disk numbers and a folder's checksum.
                prop_assert!(understood.is_ok() || !honest, "{:?}", understood);
            } else {
                prop_assert_eq!(tree, Tree::from([("App".to_owned(), Node::File(0o644, archive))]));
            }
        }
    }
}

#[test]
fn archives_in_archives_are_files() {
    for levels in 1..6 {
        let (result, tree) = unpack_with(nested(levels), LIMITS);
        assert_eq!(result.map(|staged| staged.entries), Ok(2));
        assert_eq!(tree.keys().collect::<Vec<_>>(), ["again.zip", "inner.zip"]);
    }
}
