//! The source of a request.

use std::sync::Arc;

use crate::facts::Peer;

/// The address that a request came from, as the host determined it: a client cannot choose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Arc<str>);

impl Source {
    /// Takes an address with or without a port, as Envoy's property `source.address` has it.
    pub fn new(address: &str) -> Self {
        Self(without_port(address).into())
    }

    /// The address without its port: ports of one client differ.
    pub fn into_address(self) -> Arc<str> {
        self.0
    }

    /// For slots that are shared fairly.
    pub fn peer(&self) -> Option<Peer> {
        Peer::parse(&self.0)
    }
}

fn without_port(address: &str) -> &str {
    let Some((host, port)) = address.rsplit_once(':') else {
        return address;
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(inner) => inner,
        // An IPv6 address without brackets has no port.
        None if host.contains(':') || !port.bytes().all(|byte| byte.is_ascii_digit()) => address,
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_without_its_port() {
        for (address, expected) in [
            ("10.0.0.1:4711", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("/run/envoy.sock", "/run/envoy.sock"),
            ("@a:b", "@a:b"),
            ("", ""),
        ] {
            assert_eq!(&*Source::new(address).into_address(), expected, "{address}");
        }
        let peer = Source::new("10.0.0.1:4711").peer();
        assert!(peer.is_some());
        assert_eq!(peer, Peer::parse("10.0.0.1"));
    }
}
