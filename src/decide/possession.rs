//! Whether a client has what a bound token is bound to.

use super::connection::ConnectionAttribute;
use super::{DecisionContext, Request};
use crate::crypto::Thumbprint;
use crate::http::{forwarded_certificate, Network};
use crate::policy::ClientCertificates;
use crate::reply::Reason;
use crate::token::{PossessionFault, TokenFault, VerifiedToken};

/// Checks that the client which sent a token has what the token is bound to. To be done for each
/// request: a token that was verified before may have been stolen since.
pub(super) fn check_possession(
    context: DecisionContext<'_>,
    request: Request<'_>,
    token: &VerifiedToken,
) -> Result<(), Reason> {
    let Some(binding) = token.binding() else {
        return Ok(());
    };
    if binding.key.is_some() {
        return Err(Reason::Token(TokenFault::SenderConstrained));
    }
    if let Some(bound_to) = &binding.certificate {
        let shown = certificate(context, request)?;
        let shown = shown.ok_or(PossessionFault::CertificateMissing);
        if shown.map_err(Reason::Possession)? != *bound_to {
            return Err(Reason::Possession(PossessionFault::OtherCertificate));
        }
    }
    Ok(())
}

/// The certificate of the client.
fn certificate(
    context: DecisionContext<'_>,
    request: Request<'_>,
) -> Result<Option<Thumbprint>, Reason> {
    match &context.policy.client_certificates {
        ClientCertificates::InConnection => {
            let digest = request
                .connection
                .attribute(ConnectionAttribute::CertificateDigest);
            Ok(digest.and_then(|digest| Thumbprint::from_hex(&digest)))
        }
        ClientCertificates::FromProxy(proxies) => {
            if !comes_from(proxies, request) {
                return Ok(None);
            }
            let forwarded = forwarded_certificate(request.head)
                .map_err(|_| Reason::Possession(PossessionFault::ForwardedCertificateMalformed))?;
            let hash = forwarded.and_then(|certificate| certificate.hash);
            Ok(hash.and_then(|hash| Thumbprint::from_hex(&hash)))
        }
    }
}

/// Whether the request came directly from one of these proxies. What any other client writes into the
/// headers of a proxy does not count.
fn comes_from(proxies: &[Network], request: Request<'_>) -> bool {
    let peer = request.connection.attribute(ConnectionAttribute::Peer);
    peer.is_some_and(|peer| proxies.iter().any(|network| network.contains(&peer)))
}
