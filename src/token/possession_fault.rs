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
    /// Expected `x-forwarded-client-cert` with one element, one `Hash` and quotes that close. Stops
    /// clients that write a part of the header themselves.
    ForwardedCertificateMalformed,
}
