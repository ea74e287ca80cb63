//! Why a bound token is not accepted.

/// Why a bound token is not accepted, although it is good: its client did not show that it has what the
/// token is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PossessionFault {
    /// Expected the certificate of the client that the token is bound to, got none (RFC 8705 §3). Stops
    /// stolen tokens.
    CertificateMissing,
    /// Expected the certificate of the client that the token is bound to, got another (RFC 8705 §3).
    /// Stops tokens that were stolen by other clients with a certificate.
    OtherCertificate,
    /// Expected a token that is bound to a key, because it came with a proof (RFC 9449 §7.1). Any key could
    /// make the proof of another one.
    NotBound,
    /// Expected a token with a proof, because the configuration demands one. Stops tokens that any client
    /// can use.
    ProofRequired,
    /// Expected `x-forwarded-client-cert` with one element, one `Hash` and quotes that close. Stops
    /// clients that write a part of the header themselves.
    ForwardedCertificateMalformed,
}
