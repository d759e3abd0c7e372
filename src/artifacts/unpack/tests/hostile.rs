//! What the properties of hostile archives have in common: names and targets that collide, climb out or are refused, what is
//! done to a finished archive, and what must hold whatever it was.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Reached by archives of a few hundred bytes.
pub(super) const SMALL: Limits = Limits { max_unpacked_bytes: 10_000, max_entries: 12 };

/// Mostly a name that is taken, so that archives of several entries often are.
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
    // What a name with a dot at its end is, other readers don't agree on.
    let between = prop_oneof![20 => Just(&b"/"[..]), 1 => Just(&b"/./"[..]), 1 => Just(&b"//"[..])];
    let parts = (prop::collection::vec(part, 1..4), between).prop_map(|(parts, between)| parts.join(between));
    (prefix, prop_oneof![60 => parts, 1 => Just(b"d/".repeat(256))]).prop_map(|(prefix, name)| [prefix, &name].concat())
}

/// Where a link leads: mostly to a place inside.
pub(super) fn any_target() -> impl Strategy<Value = Vec<u8>> {
    let inside = "([abc]|\\.)(/[abc]){0,2}".prop_map(String::into_bytes);
    let outside = prop::sample::select(vec!["..", "../..", "/", "/etc/passwd", "a/../..", "../neighbour", ""]);
    prop_oneof![8 => inside, 1 => outside.prop_map(|target| target.as_bytes().to_vec()), 1 => any_name()]
}

/// Content of about the limit at most, and bombs.
pub(super) fn any_content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..200),
        2 => (0_usize..6_000).prop_map(|length| vec![7; length]),
        1 => (100_000_usize..2_000_000).prop_map(|length| vec![0; length]),
    ]
}

/// What happens to an archive on its way.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    None,
    Cut(Index),
    Flipped(Vec<(Index, u8)>),
}

pub(super) fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => Just(Damage::None),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => prop::collection::vec((any::<Index>(), 1_u8..), 1..4).prop_map(Damage::Flipped),
    ]
}

impl Damage {
    pub(super) fn apply(&self, archive: &mut Vec<u8>) {
        match self {
            Self::None => {}
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

/// Unpacks with [`SMALL`] limits, and asserts what holds of every archive: nothing outside the folder was touched, the limits
/// were kept at every moment (what a failure left behind shows), and a failure blames the archive in words that can be
/// logged. Returns the tree of an archive that was taken.
pub(super) fn unpacked_or_refused(archive: Vec<u8>) -> Option<Tree> {
    let (result, tree) = unpack_with(archive, SMALL);
    let size = |node: &Node| if let Node::File(_, content) = node { content.len() as u64 } else { 0 };
    // A hard link counts here and takes no bytes, so an archive that has some may seem to have more.
    let bytes: u64 = tree.values().map(size).sum();
    assert!(tree.len() as u64 <= SMALL.max_entries, "{} entries", tree.len());
    match result {
        Ok(staged) => {
            assert!(staged.bytes <= bytes && staged.bytes <= SMALL.max_unpacked_bytes, "{staged:?}");
            assert_eq!(staged.entries, tree.len() as u64);
            Some(tree)
        }
        Err(problem) => {
            let of_the_archive = matches!(problem, Problem::Archive(_) | Problem::TooLarge(_) | Problem::TooMany(_));
            assert!(of_the_archive, "{problem:?}");
            let text = problem.to_string();
            assert!(text.chars().count() < 600 && !text.contains(char::is_control), "{text:?}");
            None
        }
    }
}
