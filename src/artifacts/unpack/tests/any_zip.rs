//! Any zip archive at all is refused in words, or unpacked to what another reader finds in it.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use ::zip::result::ZipResult;
use proptest::prelude::*;

use super::craft::{Crafted, deflated, file, zip, zip_that_claims};
use super::hostile::{Damage, any_content, any_damage, any_name, any_target, unpacked_or_refused};
use super::*;

/// An entry, and whether all that it says of itself is true.
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
        .prop_map(|(entry, lie)| (lie.clone().unwrap_or(Lie::None).told_of(entry), lie.is_none()))
}

/// What an entry says wrongly of itself.
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
    fn told_of(self, entry: Crafted) -> Crafted {
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

/// A recursive archive: one that holds itself as far as it was made, some levels deep.
fn nested(levels: usize) -> Vec<u8> {
    (0..levels).fold(zip(&[deflated("bomb", &[0; 500_000])]), |inner, _| {
        zip(&[deflated("inner.zip", &inner), file("again.zip", &inner)])
    })
}

/// Asserts that the tree has what the `zip` library finds in the archive, and nothing else. For systems that are neither
/// Unix nor DOS, which damage makes of them, that library goes by other rules on what is a link.
fn assert_is_what_another_reader_finds(archive: &[u8], tree: &Tree, honest: bool) -> ZipResult<()> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(archive))?;
    let mut named = BTreeSet::new();
    let path = |name: &[u8]| {
        let parts = text(OsStr::from_bytes(name));
        parts.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
    };
    let paths: Vec<_> = (0..archive.len()).map(|at| path(archive.by_index_raw(at).unwrap().name_raw())).collect();
    let collide =
        |one: &String| paths.iter().filter(|other| format!("{other}/").starts_with(&format!("{one}/"))).count() > 1;
    if paths.iter().any(collide) {
        return Ok(());
    }
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let name = text(OsStr::from_bytes(entry.name_raw()));
        let path = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
        if path.is_empty() {
            continue;
        }
        let is_link = entry.is_symlink();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        match &tree[&path] {
            Node::File(_, unpacked) => assert!(*unpacked == content, "the content of {path:?}"),
            Node::Link(target) => assert_eq!(*target, text(OsStr::from_bytes(&content)), "{path:?}"),
            Node::Folder(_) => assert!(content.is_empty(), "{path:?}"),
        }
        assert!(!honest || is_link == matches!(&tree[&path], Node::Link(_)), "{path:?}");
        named.insert(path);
    }
    for (path, node) in tree {
        let has_entries = || named.iter().any(|name| name.starts_with(&format!("{path}/")));
        assert!(
            named.contains(path) || (matches!(node, Node::Folder(_)) && has_entries()),
            "{path:?} came from nowhere"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_zip_is_refused_or_unpacked_to_what_another_reader_finds(
        entries in prop::collection::vec(any_entry(), 0..6),
        claims in prop::option::weighted(0.05, any::<u16>()),
        damage in any_damage(),
    ) {
        let (entries, honest): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let honest = claims.is_none() && matches!(damage, Damage::None) && honest.iter().all(|honest| *honest);
        let count = u16::try_from(entries.len()).unwrap();
        let mut archive = zip_that_claims(&entries, claims.unwrap_or(count));
        damage.apply(&mut archive);
        // What does not begin as a zip does is no zip, and one file.
        let is_zip = content::of(&archive, archive.len() as u64) == Content::Zip;
        if let Some(tree) = unpacked_or_refused(archive.clone()) {
            if is_zip {
                let understood = assert_is_what_another_reader_finds(&archive, &tree, honest);
                // The other one also minds fields that say nothing here: the number of the disk that an archive ends on, or a
                // folder's checksum.
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
