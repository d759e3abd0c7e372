//! Content that compresses as real files do, from a seed.

use std::fmt::Write as _;

/// Marsaglia's xorshift64. The content must never change, so it does not depend on the version of a library.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // The first numbers of similar seeds are similar.
        (0..16).for_each(|_| _ = random.next());
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`. Small ones are as likely as large ones.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.next() >> 32) as usize * end) >> 32
    }

    /// A number below `end`. Small ones are more likely, as common words are in a text.
    fn skewed(&mut self, end: usize) -> usize {
        let (first, second) = (self.below(end), self.below(end));
        first * second / end.max(1)
    }
}

/// Writes source code: few keywords, the names of a file again and again, comments, and repeated lines.
///
/// zlib's level 6 leaves 21 % of this code, and 20 to 23 % of the Rust and Python files of public projects. `libdeflate`'s level 5
/// leaves 2.5 % more of this code than that. Of these files, it leaves only 0.5 to 0.9 % more.
pub(crate) struct Code {
    names: Vec<String>,
}

/// How many syllables there are. With few of them, unrelated words would have the same parts.
const SYLLABLES: usize = 2000;
const TYPES: [&str; 8] = ["String", "int", "bool", "List<String>", "Result", "Option", "Map<String, Object>", "long"];

/// How many lines of a hundred repeat an earlier one.
const REPEATED: usize = 20;
/// How many lines before they may find it.
const REPEATED_LINES: usize = 60;

/// Writes one to four lines again that begin at `begin`.
fn repeat(random: &mut Random, begin: usize, text: &mut String) {
    let lines = 1 + random.skewed(5);
    let repeated: String = text[begin..].split_inclusive('\n').take(lines).collect();
    text.push_str(&repeated);
}

impl Code {
    pub(crate) fn new(random: &mut Random) -> Self {
        let syllable = |random: &mut Random| -> String {
            let letter =
                |random: &mut Random, letters: &str| char::from(letters.as_bytes()[random.skewed(letters.len())]);
            let [first, last] = [0; 2].map(|_| letter(random, "tnsrlcdmphgbfvwkyxzjq"));
            let vowel = letter(random, "eaiou");
            [first, vowel, last].into_iter().take(2 + random.below(2)).collect()
        };
        let syllables: Vec<_> = (0..SYLLABLES).map(|_| syllable(random)).collect();
        let word = |random: &mut Random| {
            let mut word = String::new();
            (0..2 + random.below(3)).for_each(|_| word += &syllables[random.skewed(SYLLABLES)]);
            word
        };
        Self { names: (0..6000).map(|_| word(random)).collect() }
    }

    /// A file of about `length` bytes. It ends with a whole line.
    pub(crate) fn file(&self, random: &mut Random, length: usize) -> String {
        let own: Vec<&str> = (0..80).map(|_| self.names[random.below(self.names.len())].as_str()).collect();
        let mut text = String::with_capacity(length + 200);
        // Where lines began that a later one may repeat.
        let mut begins = Vec::new();
        let mut depth = 0;
        while text.len() < length {
            if begins.len() > 4 && random.below(100) < REPEATED {
                let begin = begins[begins.len() - 1 - random.skewed(begins.len().min(REPEATED_LINES))];
                repeat(random, begin, &mut text);
                continue;
            }
            begins.push(text.len());
            depth = self.line(random, &own, depth, &mut text);
        }
        text
    }

    /// Writes a line. Returns the depth of the next one.
    fn line(&self, random: &mut Random, own: &[&str], depth: usize, text: &mut String) -> usize {
        let mut name = || {
            let known = 1 + random.below(own.len());
            own[random.skewed(known)]
        };
        let [a, b, c, d] = [name(), name(), name(), name()];
        let indent = "    ".repeat(depth);
        let type_name = TYPES[random.skewed(TYPES.len())];
        let number = random.skewed(100);
        let ended = match random.below(14) {
            0 => writeln!(text, "{indent}public {type_name} {a}({type_name} {b}, {type_name} {c}) {{"),
            1 => writeln!(text, "{indent}if ({a}.{b}() != {c}) {{"),
            2 | 3 if depth > 0 => writeln!(text, "{}}}\n", "    ".repeat(depth - 1)),
            4 => writeln!(text, "{indent}return {a}.{b}({c}, {number});"),
            5 | 6 => writeln!(text, "{indent}{type_name} {a} = {b}.{c}({d});"),
            7 => {
                text.push_str(&indent);
                text.push_str("//");
                for _ in 0..4 + random.below(6) {
                    text.push(' ');
                    text.push_str(&self.names[random.skewed(6000)]);
                }
                text.push('\n');
                Ok(())
            }
            8 => writeln!(text, "{indent}{a}.{b} = \"{c} {d}\";"),
            _ => writeln!(text, "{indent}{a}.{b}({c}, {d});"),
        };
        // Writing into a string does not fail.
        debug_assert!(ended.is_ok());
        match text.trim_end().as_bytes().last() {
            Some(b'{') if depth < 4 => depth + 1,
            Some(b'}') => depth.saturating_sub(1),
            _ => depth,
        }
    }
}

/// Appends `length` bytes that compress to about half, as programs and databases do: repetitions of what came shortly before, and
/// short runs of bytes that have no pattern.
pub(crate) fn half_compressible(random: &mut Random, length: usize, to: &mut Vec<u8>) {
    let end = to.len() + length;
    let begin = to.len();
    while to.len() < end {
        let known = (to.len() - begin).min(16 * 1024);
        if known > 64 && random.below(100) < 58 {
            let from = to.len() - 1 - random.skewed(known - 32);
            let count = 4 + random.skewed(28);
            for at in from..from + count {
                // A repetition may overlap itself.
                to.push(to[at.min(to.len() - 1)]);
            }
        } else {
            let count = 3 + random.below(8);
            to.extend((0..count).map(|_| random.skewed(256) as u8));
        }
    }
    to.truncate(end);
}

/// Appends bytes that don't compress, as pictures and archives do not.
pub(crate) fn compressed_already(random: &mut Random, length: usize, to: &mut Vec<u8>) {
    let end = to.len() + length;
    while to.len() < end {
        to.extend(random.next().to_le_bytes());
    }
    to.truncate(end);
}
