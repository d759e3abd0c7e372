//! Helpers for property tests of hostile archives: names and targets that collide, lead outside or are refused, damage to a
//! finished archive, and assertions that hold for every archive.

use proptest::prelude::*;
use proptest::sample::Index;

use super::craft::{file, zip};
use super::*;

/// Limits that archives of a few hundred bytes reach.
pub(super) const SMALL: UnpackLimits = UnpackLimits { max_unpacked_bytes: 10_000, max_entries: 12 };

/// Mostly valid names, so that archives of several entries are often unpacked.
pub(super) fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        40 => "[abc]".prop_map(String::into_bytes),
        5 => prop::sample::select(vec!["A", "ü", "u\u{308}", "x:y", "a\\b", "\u{1b}[31m"])
            .prop_map(|part| part.as_bytes().to_vec()),
        1 => prop::sample::select(vec!["..", "C:\\x", "a\0b"]).prop_map(|part| part.as_bytes().to_vec()),
        1 => (254_usize..258).prop_map(|length| vec![b'x'; length]),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    let prefix = prop_oneof![30 => Just(&b""[..]), 3 => Just(&b"./"[..]), 1 => Just(&b"/"[..])];
    let between = prop_oneof![20 => Just(&b"/"[..]), 1 => Just(&b"/./"[..]), 1 => Just(&b"//"[..])];
    let parts = (prop::collection::vec(part, 1..4), between).prop_map(|(parts, between)| parts.join(between));
    let suffix = prop_oneof![20 => Just(&b""[..]), 2 => Just(&b"/"[..]), 1 => Just(&b"/."[..])];
    let name = prop_oneof![60 => parts, 1 => Just(b"d/".repeat(256))];
    (prefix, name, suffix).prop_map(|(prefix, name, suffix)| [prefix, &name, suffix].concat())
}

/// A link's target, mostly inside the folder.
pub(super) fn any_target() -> impl Strategy<Value = Vec<u8>> {
    let inside = "([abc]|\\.)(/[abc]){0,2}".prop_map(String::into_bytes);
    let outside = prop::sample::select(vec!["..", "../..", "/", "/etc/passwd", "a/../..", "../neighbour", ""]);
    prop_oneof![8 => inside, 1 => outside.prop_map(|target| target.as_bytes().to_vec()), 1 => any_name()]
}

/// Content up to about the limit, and bombs.
pub(super) fn any_content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..200),
        2 => (0_usize..6_000).prop_map(|length| vec![7; length]),
        1 => (100_000_usize..2_000_000).prop_map(|length| vec![0; length]),
    ]
}

/// Damage to an archive.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    None,
    Cut(Index),
    Flipped(Vec<(Index, u8)>),
    /// Appends bytes that some readers mistake for the archive or a part of it.
    Followed(Vec<u8>),
}

pub(super) fn any_damage() -> impl Strategy<Value = Damage> {
    let empty_zip = zip(&[]);
    let other_zip = zip(&[file("other", b"other")]);
    let mut other_tar = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_size(5);
    header.set_mode(0o644);
    other_tar.append_data(&mut header, "other", &b"other"[..]).unwrap();
    let followers = vec![empty_zip, other_zip, other_tar.into_inner().unwrap(), vec![0; 600], b"x".to_vec()];
    prop_oneof![
        1 => prop::sample::select(followers).prop_map(Damage::Followed),
        3 => Just(Damage::None),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => prop::collection::vec((any::<Index>(), 1_u8..), 1..4).prop_map(Damage::Flipped),
    ]
}

impl Damage {
    pub(super) fn apply(&self, archive: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Followed(more) => archive.extend(more),
            Self::Cut(at) => archive.truncate(at.index(archive.len().max(1))),
            Self::Flipped(bits) => {
                for (at, bits) in bits {
                    let at = at.index(archive.len());
                    archive[at] ^= bits;
                }
            }
        }
    }
}

/// Unpacks with [`SMALL`] limits. Returns the tree of an archive that was unpacked. Asserts for every archive:
/// - Nothing outside the folder changed.
/// - The limits were never exceeded, as the files left after a failure show.
/// - An error concerns the archive, and its message can be logged.
pub(super) fn unpacked_or_refused(archive: Vec<u8>) -> Option<Tree> {
    let (result, tree) = unpack_with(archive, SMALL);
    let files = tree.values().filter(|node| matches!(node, Node::File(..))).count();
    assert!(files as u64 <= SMALL.max_entries, "{files} files");
    assert!((tree.len() - files) as u64 <= SMALL.max_entries, "{} folders and links", tree.len() - files);
    match result {
        Ok(staged) => {
            assert!(staged.bytes <= SMALL.max_unpacked_bytes, "{staged:?}");
            assert_eq!(staged.entries, tree.len() as u64);
            Some(tree)
        }
        Err(problem) => {
            let of_the_archive = matches!(problem, Problem::Archive(_) | Problem::TooLarge(_) | Problem::TooMany(..));
            assert!(of_the_archive, "{problem:?}");
            let text = problem.to_string();
            assert!(text.chars().count() < 600 && !text.contains(char::is_control), "{text:?}");
            None
        }
    }
}
