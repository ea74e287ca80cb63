//! Where the certificates of clients are looked for.

use crate::http::Network;

/// Where the certificates of clients are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// In the TLS connection to Envoy.
    InConnection,
    /// In the header of a proxy that ends the TLS connections of clients and has an address of these
    /// networks.
    FromProxy(Vec<Network>),
}
