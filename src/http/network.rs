//! Networks of the Internet Protocol.

use std::net::{IpAddr, SocketAddr};

/// The addresses of a network: those that begin with the same bits (RFC 4632 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads a network, such as `10.0.0.0/8`, or one address. `None`: it is neither, or bits behind the
    /// prefix are set, which is a mistake more often than not.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = length(address);
        let prefix = match prefix {
            // No sign and no leading zeros.
            Some(text) => {
                let prefix = text.parse().ok()?;
                let is_plain = u8::to_string(&prefix) == text;
                (is_plain && prefix <= most).then_some(prefix)?
            }
            None => most,
        };
        let network = Self { address, prefix };
        (network.head(address) == bits(address)).then_some(network)
    }

    /// Whether an address, with or without a port, is in the network. Nothing but an address of the
    /// Internet Protocol is.
    pub fn contains(&self, address: &str) -> bool {
        let socket = address.parse().map(|address: SocketAddr| address.ip());
        let address = socket.or_else(|_| address.parse::<IpAddr>());
        // An IPv4 address in the form of an IPv6 address is the IPv4 address (RFC 4291 §2.5.5.2).
        address.is_ok_and(|address| {
            let address = address.to_canonical();
            length(address) == length(self.address) && self.head(address) == bits(self.address)
        })
    }

    /// The bits of an address within the prefix, the others zero.
    fn head(&self, address: IpAddr) -> u128 {
        let rest = length(address).saturating_sub(self.prefix);
        let mask = u128::MAX.checked_shl(u32::from(rest)).unwrap_or_default();
        bits(address) & mask
    }
}

const fn length(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.1.2:4711", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/31", "10.0.0.1", true),
            ("10.0.0.0/31", "10.0.0.2", false),
            ("127.0.0.1", "127.0.0.1:9", true),
            ("127.0.0.1/32", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.7", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "[2001:db8:ffff::1]:443", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/8", "[::ffff:10.1.2.3]:443", true),
            ("10.0.0.0/8", "", false),
            ("10.0.0.0/8", "/run/envoy.sock", false),
            ("10.0.0.0/8", "10.1.2.3, 10.1.2.4", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address), expected, "{network:?} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_not_read() {
        for text in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.1/8",
            "10.0.0/8",
            "2001:db8::/129",
            "2001:db8::1/32",
            "example.com",
            "10.0.0.1:80",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
