//! Reads the flags that are whole numbers. The errors say what to write.

use std::num::{NonZeroU16, NonZeroU64};

/// Reads a number of 16 bits.
pub(super) fn up_to_65535(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a number from 0 to 65535".to_owned())
}

/// Reads a number of 16 bits that is not 0.
pub(super) fn from_1_to_65535(text: &str) -> Result<NonZeroU16, String> {
    text.parse().map_err(|_| "write a number from 1 to 65535".to_owned())
}

/// Reads a number of 64 bits.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("write a whole number, at most {}", u64::MAX))
}

/// Reads a number of 64 bits that is not 0.
pub(super) fn some(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| format!("write a whole number from 1 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_number_gets_the_range() {
        assert_eq!(up_to_65535("0"), Ok(0));
        assert_eq!(whole("7"), Ok(7));
        assert_eq!(up_to_65535("99999"), Err("write a number from 0 to 65535".to_owned()));
        assert_eq!(from_1_to_65535("0"), Err("write a number from 1 to 65535".to_owned()));
        assert!(whole("abc").unwrap_err().starts_with("write a whole number"));
        assert!(some("0").unwrap_err().starts_with("write a whole number from 1"));
    }
}
