//! The connection that a request came over.

/// What a host knows of the connection of a request. A decision asks only for what its credential
/// needs: each attribute costs a call of the host. A client cannot write them, and they do not change.
pub trait Connection {
    /// The value of an attribute; `None`: it has none, or the host does not know it.
    fn attribute(&self, attribute: ConnectionAttribute) -> Option<String>;
}

/// What a decision may ask about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionAttribute {
    /// The SHA-256 digest of the certificate that the client showed in the TLS handshake, and whose key
    /// it has, in hexadecimal digits. This says nothing about who issued the certificate.
    CertificateDigest,
    /// The subject of that certificate, as RFC 2253 writes it.
    CertificateSubject,
    /// The first alternative name in it that is a URI.
    CertificateUri,
    /// The first alternative name in it that is the name of a host.
    CertificateDns,
    /// The address of the program at the other end of the connection: the client, or the proxy that it
    /// called. No header changes it.
    Peer,
}

/// A connection of which nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct UnknownConnection;

impl Connection for UnknownConnection {
    fn attribute(&self, _: ConnectionAttribute) -> Option<String> {
        None
    }
}
