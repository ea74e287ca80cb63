//! Refusals because the token is good, but its client did not show that it has what the token is bound to.

use crate::reply::challenge::{Challenge, INVALID_REQUEST, INVALID_TOKEN};
use crate::reply::table::faults;
use crate::token::PossessionFault;

faults! {
    PossessionFault {
        CertificateMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "client_certificate_missing",
            detail: "The access token is bound to a certificate of its client, and no certificate was shown.",
            meaning: "a token that is bound to a certificate (`x5t#S256`), over a connection without one, or from a proxy that is not trusted",
            remedy: "have the client connect with its certificate, and the listener ask for one; see `client_certificates`",
        }
        OtherCertificate => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "client_certificate_mismatch",
            detail: "The access token is bound to another certificate.",
            meaning: "a token that is bound to another certificate than that of the connection",
            remedy: "have the client use one certificate for the provider and for n8n, and get a new token after it was renewed; if neither, the token was stolen",
        }
        NotBound => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_token_not_bound",
            detail: "The access token is not bound to the key of the DPoP proof.",
            meaning: "`Authorization: DPoP` with a token that is not bound to a key (`cnf.jkt`)",
            remedy: "have the client send a proof to the provider, too, or send the token as `Bearer`",
        }
        ProofRequired => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_required",
            detail: "The access token must be bound to a key, and come with a DPoP proof.",
            meaning: "a bearer token where `dpop` is `required`",
            remedy: "have the client get its token with a proof, and send one with each request",
        }
        ForwardedCertificateMalformed => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "client_certificate_malformed",
            detail: "The certificate of the client cannot be read.",
            meaning: "`x-forwarded-client-cert` of a trusted proxy has several elements, or a form that cannot be read in one way",
            remedy: "have the proxy replace the header, in place of adding to it: `SANITIZE_SET` in Envoy",
        }
    }
}
