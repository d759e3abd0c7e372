//! Tables of Huffman codes, which say how many bits the next code of a deflated stream takes (RFC 1951, 3.2.2 and 3.2.5).

/// The longest code, in bits.
const LONGEST: usize = 15;
/// The code that ends a block.
const END_OF_BLOCK: usize = 256;
/// The number of bits in an entry: at most 20 for a literal or a length, and at most 29 for a distance.
pub(super) const BITS: u8 = 0x1f;
/// The kind of the next code in an entry: a literal or a length, a distance, or the next block's header.
pub(super) const FOLLOWS: u8 = 0x60;
pub(super) const LITERAL: u8 = 0x20;
pub(super) const DISTANCE: u8 = 0x40;
pub(super) const BLOCK: u8 = 0x60;

/// The entries of codes. A byte for each, so that most of the table stays in the processor's fastest cache.
pub(super) struct Codes {
    /// An entry for each value that the next bits may have, as many as the longest code. 0 where no code begins.
    table: [u8; 1 << LONGEST],
    mask: u16,
}

impl Codes {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { table: [0; 1 << LONGEST], mask: 0 })
    }

    /// Sets the codes from their lengths in bits. A length of 0 means that the symbol has no code. `entry` gets a symbol and the
    /// length of its code, and returns the entry.
    ///
    /// Returns `None` if there can't be so many codes of these lengths.
    pub(super) fn set(&mut self, lengths: &[u8], entry: impl Fn(usize, u8) -> u8) -> Option<()> {
        let longest = usize::from(lengths.iter().copied().max().unwrap_or(0));
        let table = self.table.get_mut(..1 << longest)?;
        table.fill(0);
        self.mask = (table.len() - 1) as u16;
        let mut code = 0;
        for bits in 1..=longest {
            let symbols = lengths.iter().enumerate().filter(|(_, length)| usize::from(**length) == bits);
            for (symbol, _) in symbols {
                if code >= 1 << bits {
                    return None;
                }
                // A code comes with its highest bit first.
                let first = usize::reverse_bits(code) >> (usize::BITS as usize - bits);
                let entry = entry(symbol, bits as u8);
                table[first..].iter_mut().step_by(1 << bits).for_each(|place| *place = entry);
                code += 1;
            }
            code <<= 1;
        }
        Some(())
    }

    /// The entry of the code at the beginning of `bits`. 0 if there is none.
    #[inline]
    pub(super) fn entry(&self, bits: u64) -> u8 {
        self.table[usize::from(bits as u16 & self.mask) % (1 << LONGEST)]
    }
}

/// The entry of a literal or length: the bits of its code, and the extra bits of a length.
pub(super) fn literal_or_length(symbol: usize, bits: u8) -> u8 {
    match symbol {
        0..END_OF_BLOCK => LITERAL | bits,
        END_OF_BLOCK => BLOCK | bits,
        265..285 => DISTANCE | (bits + ((symbol - 261) / 4) as u8),
        _ => DISTANCE | bits,
    }
}

/// The entry of a distance: the bits of its code, and its extra bits.
pub(super) fn distance(symbol: usize, bits: u8) -> u8 {
    LITERAL | (bits + (symbol / 2).saturating_sub(1) as u8)
}

/// Sets the codes of a block with fixed codes (RFC 1951, 3.2.6).
pub(super) fn set_fixed(literals: &mut Codes, distances: &mut Codes) -> Option<()> {
    let lengths: [u8; 288] = std::array::from_fn(|symbol| match symbol {
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    });
    literals.set(&lengths, literal_or_length)?;
    distances.set(&[5; 32], distance)
}
