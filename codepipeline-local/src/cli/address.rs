//! Reads the address to listen on.

use std::net::IpAddr;

/// Reads an IP address. That of IPv6 may have the brackets that it has in a URL.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "write an IP address, such as 127.0.0.1 or ::1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_an_ip_address() {
        for text in ["127.0.0.1", "0.0.0.0", "::1", "[::1]"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in ["", "localhost", "127.0.0.1:4566", "[::1]:4566", "256.0.0.1"] {
            assert_eq!(address(text), Err("write an IP address, such as 127.0.0.1 or ::1".to_owned()), "{text}");
        }
    }
}
