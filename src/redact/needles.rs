//! Finds any of many texts (*needles*) in another text. A secret of 50 000 characters, the longest known configuration value, has
//! ten thousand lines and some hundred thousand forms. A hundred thousand searches would take too long.

use std::ops::Range;

use memchr::memmem::{Finder, rfind};

/// Longer needles are searched one by one. A secret is too short to have many of them.
const MAX_LISTED_BYTES: usize = 1024;

/// The texts to find. They are divided by length.
#[derive(Default)]
pub(super) struct Needles {
    /// The short needles, sorted and unique.
    listed: Vec<Vec<u8>>,
    /// For each of `listed`, the longest other one that it begins with.
    prefixes: Vec<Option<usize>>,
    /// For each byte, the range of `listed` that begins with it.
    by_first: Vec<Range<usize>>,
    long: Vec<Finder<'static>>,
    longest: usize,
}

impl Needles {
    /// Takes needles in any order and with repetitions. Ignores empty ones.
    pub(super) fn new(mut needles: Vec<Vec<u8>>) -> Self {
        needles.sort_unstable();
        needles.dedup();
        needles.retain(|needle| !needle.is_empty());
        let longest = needles.iter().map(Vec::len).max().unwrap_or(0);
        let (listed, long): (Vec<_>, Vec<_>) = needles.into_iter().partition(|needle| needle.len() <= MAX_LISTED_BYTES);
        let long = long.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        let first = |byte: usize| listed.partition_point(|needle| usize::from(needle[0]) < byte);
        let by_first = (0..256).map(|byte| first(byte)..first(byte + 1)).collect();
        Self { prefixes: prefixes(&listed), listed, by_first, long, longest }
    }

    /// The length of the longest needle in bytes, or 0 without needles.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Whether a needle occurs in `text`.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| self.longest_at(&text[at..]).is_some())
            || self.long.iter().any(|finder| finder.find(text).is_some())
    }

    /// The ranges of `text` that needles cover, in order. Merges occurrences that overlap.
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

    /// The first place from which on `text` is the beginning of a longer needle, or its length.
    pub(super) fn unfinished(&self, text: &[u8]) -> usize {
        let from = text.len().saturating_sub(self.longest.saturating_sub(1));
        (from..text.len()).find(|&at| self.continue_after(&text[at..])).unwrap_or(text.len())
    }

    /// Whether a needle begins with `text` and is longer.
    fn continue_after(&self, text: &[u8]) -> bool {
        let alike = text.first().map_or(0..0, |first| self.by_first.get(usize::from(*first)).cloned().unwrap_or(0..0));
        let alike = &self.listed[alike];
        // In the sorted list, the needles that begin with the text follow it.
        let greater = alike.partition_point(|needle| needle.as_slice() <= text);
        alike.get(greater).is_some_and(|needle| needle.starts_with(text))
            || self.long.iter().any(|it| it.needle().len() > text.len() && it.needle().starts_with(text))
    }

    /// The length of the longest listed needle that `text` begins with.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        let alike = self.by_first.get(usize::from(*text.first()?))?.clone();
        // A needle that the text begins with is not greater than the text. It is the greatest such needle or a prefix of it.
        let text = &text[..text.len().min(MAX_LISTED_BYTES)];
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

/// For each of `sorted`, the longest other one that it begins with. It is the previous one, or a prefix of the previous one.
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

/// Sorts ranges, and merges those that overlap.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged = Vec::with_capacity(ranges.len());
    ranges.into_iter().for_each(|range| add(&mut merged, range));
    merged
}

/// Adds a range that does not begin before the last one.
fn add(covered: &mut Vec<Range<usize>>, range: Range<usize>) {
    match covered.last_mut() {
        Some(last) if range.start < last.end => last.end = last.end.max(range.end),
        _ => covered.push(range),
    }
}

/// Adds the ranges that one needle covers. A needle that overlaps itself (`aaaa`) occurs at many places. From one occurrence, this
/// steps to the last one that overlaps it, because the two cover the text between them. So it reads `text` only a few times.
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

    /// Tries every needle at every place.
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

    /// Needles of few different bytes, so that they repeat, overlap and share prefixes. Some are long.
    fn needle() -> impl Strategy<Value = Vec<u8>> {
        let repeated = ("[ab]{1,3}", MAX_LISTED_BYTES - 2..MAX_LISTED_BYTES + 4)
            .prop_map(|(unit, length)| unit.bytes().cycle().take(length).collect::<Vec<u8>>());
        prop_oneof![4 => "[abc]{1,6}".prop_map(String::into_bytes), 1 => repeated]
    }

    proptest! {
        #[test]
        fn covered_ranges_equal_those_of_a_slow_search(
            needles in prop::collection::vec(needle(), 0..12),
            pieces in prop::collection::vec((any::<prop::sample::Index>(), "[abcd]{0,9}", 1_usize..4), 0..6),
        ) {
            // The text consists of needles, parts of needles, and other text between them.
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
            let unfinished = |at: &usize| needles.iter().any(|it| it.len() > text.len() - at && it.starts_with(&text[*at..]));
            prop_assert_eq!(found.unfinished(&text), (0..text.len()).find(unfinished).unwrap_or(text.len()));
            prop_assert_eq!(found.longest(), needles.iter().map(Vec::len).max().unwrap_or(0));
        }
    }

    #[test]
    fn a_needle_does_not_hide_its_prefix_or_later_needles() {
        let needles = Needles::new(["a", "ab", "abcz", "abd", "b"].map(|it| it.as_bytes().to_vec()).to_vec());
        assert_eq!(needles.covered(b"abcy.abdb.x"), [0..2, 5..8, 8..9]);
    }

    #[test]
    fn a_needle_that_overlaps_itself_takes_few_steps() {
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
