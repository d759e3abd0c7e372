//! Comparisons with IP addresses.

use std::net::IpAddr;

/// A block of IPv4 or IPv6 addresses.
#[derive(Debug)]
pub(super) struct Network {
    first: IpAddr,
    /// How many leading bits must equal those of `first`.
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/24` or `2001:db8::/32`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a block of addresses; write one such as 10.0.0.0/24 or 2001:db8::/32");
        let (first, bits) = text.split_once('/').ok_or_else(wrong)?;
        let first: IpAddr = first.parse().map_err(|_| wrong())?;
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        let all = width(first);
        if bits >= all {
            return Err(format!("{text:?} has {bits} bits; a block of such addresses has fewer than {all}"));
        }
        Ok(Self { first, bits })
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        if width(address) != width(self.first) {
            return false;
        }
        let variable = width(self.first) - self.bits;
        // A block of all addresses fixes no bit.
        let fixed = |address| number(address).checked_shr(variable).unwrap_or(0);
        fixed(address) == fixed(self.first)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}
