//! Where a request came from, so that slots are shared fairly.

use std::net::{IpAddr, SocketAddr};

/// The address that a request came from, as Envoy determined it: a client cannot choose it. Of an
/// IPv6 address the first 64 bits count, since one subscriber has all of the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(u64);

impl Peer {
    /// Reads an address with or without a port, as in Envoy's property `source.address`. `None`:
    /// it is not of the Internet Protocol.
    pub fn parse(address: &str) -> Option<Self> {
        let socket = address.parse().map(|address: SocketAddr| address.ip());
        let address = socket.or_else(|_| address.parse::<IpAddr>()).ok()?;
        Some(Self::of(address.to_canonical()))
    }

    fn of(address: IpAddr) -> Self {
        match address {
            // No IPv6 network begins with these bits (RFC 4291 §2.4).
            IpAddr::V4(address) => Self(0xffff_0000_0000 | u64::from(address.to_bits())),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                let network = [a, b, c, d].into_iter();
                Self(network.fold(0, |bits, segment| bits << 16 | u64::from(segment)))
            }
        }
    }

    /// What stands for an address among workers.
    pub(super) const fn blinded(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_without_its_port_and_ipv6_by_its_first_64_bits() {
        let same = [
            ("10.0.0.1:4711", "10.0.0.1"),
            ("10.0.0.1:1", "10.0.0.1:65535"),
            ("[::ffff:10.0.0.1]:4711", "10.0.0.1:1"),
            ("[2001:db8:1:2::1]:4711", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ];
        for (one, other) in same {
            assert!(Peer::parse(one).is_some(), "{one}");
            assert_eq!(Peer::parse(one), Peer::parse(other), "{one} {other}");
        }
        let others = [
            "10.0.0.1",
            "10.0.0.2",
            "2001:db8:1:2::1",
            "2001:db8:1:3::1",
            "::1",
        ];
        for (index, one) in others.iter().enumerate() {
            for other in &others[..index] {
                assert_ne!(Peer::parse(one), Peer::parse(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_no_internet_address_is_no_peer() {
        for text in [
            "",
            "/run/envoy.sock",
            "10.0.0",
            "10.0.0.1:x",
            "example.com:80",
            "@a",
        ] {
            assert_eq!(Peer::parse(text), None, "{text}");
        }
    }
}
