//! The fields about tokens that are bound to a certificate or a key of their client.

use crate::config::choices::CertificatesFrom;
use crate::config::defaults::{self, ProofWindow};
use crate::config::duration::Span;
use crate::config::field::{default_flag, default_span, optional, required};
use crate::config::read::{OneOf, OneOrMany, OnlyTrue};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::section::section;
use crate::config::syntax::{NetworkText, Text};

section! {
    /// Where the gate finds the certificate of a client, for tokens that are bound to one (RFC 8705).
    RawClientCertificates at "client_certificates" {
        /// `connection`: in the TLS connection to Envoy. `x-forwarded-client-cert`: in this header of a
        /// proxy that ends the TLS connections of clients.
        from: OneOf<CertificatesFrom> = required("write connection or x-forwarded-client-cert"),
        /// The networks of these proxies. From any other address, the header does not count. Envoy must
        /// hand over the address of the connection: see
        /// [sender-constrained tokens](../guides/sender-constrained-tokens.md#behind-a-proxy-that-ends-tls).
        trusted: OneOrMany<Text<NetworkText>> = optional("**required** with `x-forwarded-client-cert`"),
        /// `true` says that the listener, or the proxy, accepts no certificate that it has not verified
        /// against its authorities. The gate cannot see that, and `auth: certificate` needs it: with
        /// `ACCEPT_UNTRUSTED` any client could make a certificate with the name of another.
        verified: OnlyTrue = optional("they are good for bound tokens alone"),
    }
    rules {
        Rule {
            when: When::Is("from", &["x-forwarded-client-cert"]),
            demand: Demand::AnyOf(&["trusted"]),
            at: At::Field("trusted"),
            problem: "is required: any client could write the header",
            hint: "list the networks of the proxies that end TLS, such as 10.0.5.0/24",
        },
        Rule {
            when: When::Is("from", &["connection"]),
            demand: Demand::Without(&["trusted"]),
            at: At::Each,
            problem: "has no effect: the certificate is that of the connection",
            hint: "remove it, or write from: x-forwarded-client-cert",
        },
    }
}

section! {
    /// How the gate checks `DPoP` proofs (RFC 9449). It takes them where `public_origin` is.
    RawDpopProofs at "dpop_proofs" {
        /// How far the time of a proof (`iat`) may be from the clock of Envoy, before or after it. The
        /// `jti` of a proof is remembered as long, so that it counts once.
        window: Span<ProofWindow> = default_span(),
        /// Ask clients for a nonce of the gate in each proof. Clients get it with a refusal
        /// (`use_dpop_nonce`), and again every five minutes or so. Proofs that were made in advance are of
        /// no use then.
        nonces: bool = default_flag(defaults::NONCES),
    }
}

section! {
    /// Which certificates pass a webhook rule. Each list that is there must have one of the names of the
    /// certificate.
    RawCertificateRule at "webhooks[].certificate" {
        /// Subjects as Envoy writes them (RFC 2253), compared exactly: `CN=partner,O=Acme,C=DE`.
        subject: OneOrMany<Text> = optional("any"),
        /// Alternative names that are URIs, compared exactly: `spiffe://example.com/partner`. Of the
        /// certificate of a connection, Envoy gives the first one only.
        uri: OneOrMany<Text> = optional("any"),
        /// Alternative names that are names of hosts, compared without regard to case. Of the certificate
        /// of a connection, Envoy gives the first one only.
        dns: OneOrMany<Text> = optional("any"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["subject", "uri", "dns"]),
            at: At::Object,
            problem: "has no field",
            hint: "write the subjects, URIs or names of hosts that pass",
        },
    }
}
