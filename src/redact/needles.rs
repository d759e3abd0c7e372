//! Finds any of many texts in another one. A secret of 50 000 characters, the longest configuration value that is known, has
//! ten thousand lines and some hundred thousand forms; that must not cost a hundred thousand searches.

use std::ops::Range;

use memchr::memmem::{Finder, rfind};

/// Longer needles are searched for one by one. Secrets are not long enough to have many of them.
const LISTED: usize = 1024;

/// The texts to find, in two kinds by their length.
#[derive(Default)]
pub(super) struct Needles {
    /// Sorted, each once.
    listed: Vec<Vec<u8>>,
    /// For each of `listed` the longest other one that it begins with.
    prefixes: Vec<Option<usize>>,
    /// For each byte those of `listed` that begin with it.
    by_first: Vec<Range<usize>>,
    long: Vec<Finder<'static>>,
    longest: usize,
}

impl Needles {
    /// `needles` in any order and with repetitions; empty ones are left out.
    pub(super) fn new(mut needles: Vec<Vec<u8>>) -> Self {
        needles.sort_unstable();
        needles.dedup();
        needles.retain(|needle| !needle.is_empty());
        let longest = needles.iter().map(Vec::len).max().unwrap_or(0);
        let (listed, long): (Vec<_>, Vec<_>) = needles.into_iter().partition(|needle| needle.len() <= LISTED);
        let long = long.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        let first = |byte: usize| listed.partition_point(|needle| usize::from(needle[0]) < byte);
        let by_first = (0..256).map(|byte| first(byte)..first(byte + 1)).collect();
        Self { prefixes: prefixes(&listed), listed, by_first, long, longest }
    }

    /// The length of the longest needle in bytes, 0 without needles.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Whether a needle occurs in `text`.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| self.longest_at(&text[at..]).is_some())
            || self.long.iter().any(|finder| finder.find(text).is_some())
    }

    /// What needles cover in `text`, in order; occurrences that overlap are one.
    pub(super) fn covered(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut covered = Vec::new();
        for at in 0..text.len() {
            if let Some(length) = self.longest_at(&text[at..]) {
                add(&mut covered, at..at + length);
            }
        }
        for finder in &self.long {
            runs(finder, text, &mut covered);
        }
        merged(covered)
    }

    /// The length of the longest listed needle that `text` begins with.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        let alike = self.by_first.get(usize::from(*text.first()?))?.clone();
        // Every needle that the text begins with is no greater than the text, and a prefix of the greatest of those.
        let text = &text[..text.len().min(LISTED)];
        let no_greater = self.listed[alike.clone()].partition_point(|needle| needle.as_slice() <= text);
        let mut greatest = alike.start + no_greater.checked_sub(1)?;
        loop {
            let needle = &self.listed[greatest];
            if text.starts_with(needle) {
                return Some(needle.len());
            }
            greatest = self.prefixes[greatest]?;
        }
    }
}

/// For each of `sorted` the longest other one that it begins with: one of those that the one before it begins with, or that.
fn prefixes(sorted: &[Vec<u8>]) -> Vec<Option<usize>> {
    let mut prefixes: Vec<Option<usize>> = Vec::with_capacity(sorted.len());
    for (at, needle) in sorted.iter().enumerate() {
        let mut prefix = at.checked_sub(1);
        while let Some(candidate) = prefix
            && !needle.starts_with(&sorted[candidate])
        {
            prefix = prefixes[candidate];
        }
        prefixes.push(prefix);
    }
    prefixes
}

/// Ranges in order; those that overlap are one.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged = Vec::with_capacity(ranges.len());
    ranges.into_iter().for_each(|range| add(&mut merged, range));
    merged
}

/// Adds a range that begins where the last one does, or later.
fn add(covered: &mut Vec<Range<usize>>, range: Range<usize>) {
    match covered.last_mut() {
        Some(last) if range.start < last.end => last.end = last.end.max(range.end),
        _ => covered.push(range),
    }
}

/// Adds what occurrences of one needle cover. A needle that overlaps itself (`aaaa`) occurs at many places; from one occurrence it
/// is one step to the last that overlaps it, since the two cover whatever is between them. So the cost is that of reading
/// `text` a few times.
fn runs(finder: &Finder<'_>, text: &[u8], covered: &mut Vec<Range<usize>>) {
    let needle = finder.needle();
    let mut from = 0;
    while let Some(offset) = finder.find(&text[from..]) {
        let start = from + offset;
        let overlapping = &text[start..text.len().min(start + 2 * needle.len() - 1)];
        let last = start + rfind(overlapping, needle).unwrap_or(0);
        covered.push(start..last + needle.len());
        from = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By trying every needle at every place.
    fn slowly(needles: &[Vec<u8>], text: &[u8]) -> Vec<Range<usize>> {
        let mut covered = Vec::new();
        for at in 0..text.len() {
            let lengths = needles.iter().filter(|it| text[at..].starts_with(it)).map(Vec::len);
            if let Some(longest) = lengths.max() {
                add(&mut covered, at..at + longest);
            }
        }
        covered
    }

    /// Needles of few different bytes, so that they repeat, overlap and begin alike; some are long.
    fn needle() -> impl Strategy<Value = Vec<u8>> {
        let repeated = ("[ab]{1,3}", LISTED - 2..LISTED + 4)
            .prop_map(|(unit, length)| unit.bytes().cycle().take(length).collect::<Vec<u8>>());
        prop_oneof![4 => "[abc]{1,6}".prop_map(String::into_bytes), 1 => repeated]
    }

    proptest! {
        #[test]
        fn what_is_covered_is_what_a_slow_search_finds(
            needles in prop::collection::vec(needle(), 0..12),
            pieces in prop::collection::vec((any::<prop::sample::Index>(), "[abcd]{0,9}", 1_usize..4), 0..6),
        ) {
            // The text is made of needles, what is left of them, and something between.
            let mut text = Vec::new();
            for (which, between, times) in &pieces {
                if !needles.is_empty() {
                    let needle = which.get(&needles);
                    (0..*times).for_each(|time| text.extend_from_slice(&needle[time.min(needle.len() - 1)..]));
                }
                text.extend_from_slice(between.as_bytes());
            }
            let found = Needles::new(needles.clone());
            prop_assert_eq!(found.covered(&text), slowly(&needles, &text));
            prop_assert_eq!(found.is_in(&text), !slowly(&needles, &text).is_empty());
            prop_assert_eq!(found.longest(), needles.iter().map(Vec::len).max().unwrap_or(0));
        }
    }

    #[test]
    fn a_needle_that_begins_with_another_hides_neither_it_nor_what_comes_after() {
        let needles = Needles::new(["a", "ab", "abcz", "abd", "b"].map(|it| it.as_bytes().to_vec()).to_vec());
        assert_eq!(needles.covered(b"abcy.abdb.x"), [0..2, 5..8, 8..9]);
    }

    #[test]
    fn a_needle_that_overlaps_itself_is_stepped_over_and_not_found_at_every_place() {
        let (needle, text) = (vec![b'a'; 50_000], vec![b'a'; 1_000_000]);
        let mut covered = Vec::new();
        runs(&Finder::new(&needle), &text, &mut covered);
        assert!(covered.len() <= 2 * text.len() / needle.len(), "{} steps", covered.len());
        assert_eq!(Needles::new(vec![needle]).covered(&text), std::slice::from_ref(&(0..text.len())));
    }

    #[test]
    fn nothing_is_found_without_needles() {
        for needles in [Needles::default(), Needles::new(vec![Vec::new()])] {
            assert!(needles.covered(b"text").is_empty() && !needles.is_in(b"text"));
        }
    }
}
