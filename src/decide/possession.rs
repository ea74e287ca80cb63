//! Whether a client has what a bound token is bound to.

use super::connection::ConnectionAttribute;
use super::{DecisionContext, IdDigest, Request, UseOnce};
use crate::crypto::Thumbprint;
use crate::http::{forwarded_certificate, ForwardedCertificate, Network};
use crate::policy::{ClientCertificates, DpopUse, Instance, ProviderId};
use crate::reply::Reason;
use crate::token::{
    CompactToken, PossessionFault, ProofFault, ProofTarget, TokenFault, VerifiedProof,
    VerifiedToken,
};

/// How a client sent its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Alone (RFC 6750).
    Bearer,
    /// With a proof (RFC 9449 §7.1).
    Dpop,
}

/// A request with a token.
#[derive(Clone, Copy)]
pub(super) struct Sender<'r> {
    pub(super) request: Request<'r>,
    pub(super) scheme: Scheme,
    pub(super) token: &'r CompactToken<'r>,
    /// Whether the resource takes no bearer tokens.
    pub(super) dpop: DpopUse,
}

/// Checks that the client which sent a token has what the token is bound to. To be done for each
/// request: a token that was verified before may have been stolen since. Gives what the request uses
/// once.
pub(super) fn check_possession(
    context: DecisionContext<'_>,
    instance: &Instance,
    sender: &Sender<'_>,
    (provider, token): (ProviderId, &VerifiedToken),
) -> Result<Option<UseOnce>, Reason> {
    let provider = context.policy.providers.get(provider.0);
    let requires_proof = sender.dpop == DpopUse::Required
        || provider.is_none_or(|provider| provider.dpop == DpopUse::Required);
    let binding = token.binding();
    if let Some(bound_to) = binding.and_then(|binding| binding.certificate) {
        check_certificate(context, sender.request, &bound_to).map_err(Reason::Possession)?;
    }
    match (sender.scheme, binding.and_then(|binding| binding.key)) {
        // RFC 9449 §7.2: an attacker who has stolen the token would send it so.
        (Scheme::Bearer, Some(_)) => Err(Reason::Token(TokenFault::SenderConstrained)),
        (Scheme::Bearer, None) if requires_proof => {
            Err(Reason::Possession(PossessionFault::ProofRequired))
        }
        (Scheme::Bearer, None) => Ok(None),
        // RFC 9449 §7.1: any key could make the proof.
        (Scheme::Dpop, None) => Err(Reason::Possession(PossessionFault::NotBound)),
        (Scheme::Dpop, Some(key)) => check_proof(context, instance, sender, &key)
            .map(Some)
            .map_err(Reason::Proof),
    }
}

fn check_proof(
    context: DecisionContext<'_>,
    instance: &Instance,
    sender: &Sender<'_>,
    key: &Thumbprint,
) -> Result<UseOnce, ProofFault> {
    let target = ProofTarget {
        request: sender.request.head,
        origins: &instance.public_origins,
        token: sender.token,
        key,
        now: context.now,
        window: context.policy.proofs.window,
        nonces: context.nonces,
    };
    let proof = VerifiedProof::verify(&target, context.crypto)?;
    Ok(UseOnce {
        // An id is unique for its key: no client can use up the ids of another.
        digest: IdDigest::of(&[b"dpop", key.bytes(), proof.id.as_bytes()]),
        until: proof.accepted_until,
        replayed: Reason::Proof(ProofFault::Replayed),
        free_after_failure: false,
    })
}

fn check_certificate(
    context: DecisionContext<'_>,
    request: Request<'_>,
    bound_to: &Thumbprint,
) -> Result<(), PossessionFault> {
    let shown = certificate(context, request)?.ok_or(PossessionFault::CertificateMissing)?;
    if shown == *bound_to {
        Ok(())
    } else {
        Err(PossessionFault::OtherCertificate)
    }
}

/// The certificate of the client.
fn certificate(
    context: DecisionContext<'_>,
    request: Request<'_>,
) -> Result<Option<Thumbprint>, PossessionFault> {
    let digest = match &context.policy.client_certificates {
        None | Some(ClientCertificates::InConnection) => {
            let connection = request.connection;
            connection.attribute(ConnectionAttribute::CertificateDigest)
        }
        Some(ClientCertificates::FromProxy(proxies)) => {
            forwarded(proxies, request)?.and_then(|certificate| certificate.hash)
        }
    };
    Ok(digest.and_then(|digest| Thumbprint::from_hex(&digest)))
}

/// The certificate that one of these proxies reports; `None`: it reports none, or the request came from
/// another client.
pub(super) fn forwarded(
    proxies: &[Network],
    request: Request<'_>,
) -> Result<Option<ForwardedCertificate>, PossessionFault> {
    if !comes_from(proxies, request) {
        return Ok(None);
    }
    forwarded_certificate(request.head).map_err(|_| PossessionFault::ForwardedCertificateMalformed)
}

/// Whether the request came directly from one of these proxies. What any other client writes into the
/// headers of a proxy does not count.
fn comes_from(proxies: &[Network], request: Request<'_>) -> bool {
    let peer = request.connection.attribute(ConnectionAttribute::Peer);
    peer.is_some_and(|peer| proxies.iter().any(|network| network.contains(&peer)))
}
