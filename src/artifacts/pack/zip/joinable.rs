//! Opens the end of a deflated stream, so that another one can follow (RFC 1951).
//!
//! `libdeflate` deflates only whole streams, and marks the last block of each as final. The beginning of this block depends
//! on the length of every code before it. So the scan skips all codes, and ignores their meaning.

use codes::{BITS, BLOCK, Codes, DISTANCE, FOLLOWS, LITERAL};

mod codes;

/// A block gives the lengths of the codes for code lengths in this order.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// The bits of a code for lengths in its entry. They are at most 7, and the symbol is above them.
const BITS_OF_LENGTH: u8 = 7;
/// An empty stored block, after its first three bits and the padding.
const EMPTY_STORED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Changes a complete stream so that its last block is not final, and appends an empty block that ends at a byte's boundary.
///
/// Returns `None` if the stream is cut off or continues after its last block. It is then unchanged. The stream comes from a
/// compressor: values and distances are not checked.
pub(super) fn open_end(stream: &mut Vec<u8>) -> Option<()> {
    let (last, end) = Scan::new(stream).last_block()?;
    let padding = (stream.len() * 8).checked_sub(end).filter(|bits| *bits < 8)?;
    stream[last / 8] &= !(1 << (last % 8));
    // The empty block begins with three zero bits. The padding may have room for them.
    *stream.last_mut()? &= 0xff >> padding;
    if padding < 3 {
        stream.push(0);
    }
    stream.extend(EMPTY_STORED);
    Some(())
}

/// Reads the blocks of a stream. Positions are in bits.
struct Scan<'s> {
    stream: &'s [u8],
    /// The next byte that is not in `bits` yet.
    next: usize,
    /// The next `count` bits of the stream. Those above them may come next as well, or be zero.
    bits: u64,
    count: usize,
}

impl<'s> Scan<'s> {
    fn new(stream: &'s [u8]) -> Self {
        Self { stream, next: 0, bits: 0, count: 0 }
    }

    /// Where the last block begins and ends.
    fn last_block(mut self) -> Option<(usize, usize)> {
        let (mut literals, mut distances) = (Codes::new(), Codes::new());
        loop {
            let begin = self.position();
            let is_last = self.take(1)? == 1;
            match self.take(2)? {
                0 => self.skip_stored()?,
                1 => {
                    codes::set_fixed(&mut literals, &mut distances)?;
                    self.skip_codes(&literals, &distances)?;
                }
                2 => {
                    self.read_lengths(&mut literals, &mut distances)?;
                    self.skip_codes(&literals, &distances)?;
                }
                _ => return None,
            }
            if is_last {
                return Some((begin, self.position()));
            }
        }
    }

    fn position(&self) -> usize {
        self.next * 8 - self.count
    }

    /// Makes at least 56 bits valid. The first ones after the end of the stream are zero.
    #[inline]
    fn refill(&mut self) -> Option<()> {
        if let Some(word) = self.stream.get(self.next..).and_then(<[u8]>::first_chunk) {
            self.bits |= u64::from_le_bytes(*word) << self.count;
            self.next += (63 - self.count) / 8;
            self.count |= 56;
            return Some(());
        }
        while self.count < 56 {
            self.bits |= u64::from(self.stream.get(self.next).copied().unwrap_or(0)) << self.count;
            self.next += 1;
            self.count += 8;
        }
        // Otherwise a damaged stream could continue with zeros without an end.
        (self.next <= self.stream.len() + 8).then_some(())
    }

    #[inline]
    fn skip(&mut self, bits: u8) {
        self.bits >>= bits;
        self.count -= usize::from(bits);
    }

    /// Takes some bits, up to 56, as a number.
    fn take(&mut self, bits: u8) -> Option<usize> {
        self.refill()?;
        let value = self.bits & ((1 << bits) - 1);
        self.skip(bits);
        Some(value as usize)
    }

    fn skip_stored(&mut self) -> Option<()> {
        let begin = self.position().div_ceil(8);
        let [low, high, not_low, not_high] = *self.stream.get(begin..)?.first_chunk()?;
        if [!low, !high] != [not_low, not_high] {
            return None;
        }
        self.next = begin + 4 + usize::from(u16::from_le_bytes([low, high]));
        (self.bits, self.count) = (0, 0);
        Some(())
    }

    /// Reads the lengths of the codes of a block (RFC 1951, 3.2.7).
    fn read_lengths(&mut self, literals: &mut Codes, distances: &mut Codes) -> Option<()> {
        let (literal_codes, distance_codes) = (self.take(5)? + 257, self.take(5)? + 1);
        let mut lengths = [0; ORDER.len()];
        for code in ORDER.iter().take(self.take(4)? + 4) {
            lengths[*code] = self.take(3)? as u8;
        }
        // The codes for lengths are needed only here, so they share the table for distances.
        distances.set(&lengths, |symbol, bits| (symbol as u8) << 3 | bits)?;
        let all = literal_codes + distance_codes;
        let mut lengths = Vec::with_capacity(all);
        while lengths.len() < all {
            self.refill()?;
            let entry = distances.entry(self.bits);
            if entry == 0 {
                return None;
            }
            self.skip(entry & BITS_OF_LENGTH);
            let (length, times) = match entry >> 3 {
                16 => (*lengths.last()?, 3 + self.take(2)?),
                17 => (0, 3 + self.take(3)?),
                18 => (0, 11 + self.take(7)?),
                length => (length, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        if lengths.len() != all {
            return None;
        }
        literals.set(&lengths[..literal_codes], codes::literal_or_length)?;
        distances.set(&lengths[literal_codes..], codes::distance)
    }

    /// Skips the codes of a block, and its end.
    ///
    /// The processor can't predict the kind of the next code. So the kind selects a table, and no branch depends on it.
    fn skip_codes(&mut self, literals: &Codes, distances: &Codes) -> Option<()> {
        let mut codes = literals;
        loop {
            // A code takes at most 29 bits with its extra bits. A distance follows a length, which takes at most 20.
            self.refill()?;
            for _ in 0..2 {
                let entry = codes.entry(self.bits);
                self.skip(entry & BITS);
                codes = if entry & FOLLOWS == DISTANCE { distances } else { literals };
                if !(LITERAL..BLOCK).contains(&entry) {
                    return (entry >= BLOCK).then_some(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
