//! Refusals because the token is good, but its proof is not.

use crate::crypto::SkipReason;
use crate::reply::challenge::{Challenge, INVALID_PROOF, INVALID_TOKEN};
use crate::reply::table::faults;
use crate::token::ProofFault;

faults! {
    ProofFault {
        Missing => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_missing",
            detail: "Send a DPoP proof in the header DPoP.",
            meaning: "`Authorization: DPoP` without a header `DPoP`",
            remedy: "have the client send one, or look which proxy removes it",
        }
        Several => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_duplicate",
            detail: "Send exactly one DPoP header.",
            meaning: "more than one header `DPoP`",
            remedy: "find the client library or proxy that adds a second one",
        }
        TooLong => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_too_long",
            detail: "The DPoP proof is too long.",
            meaning: "a proof of more than 8 KiB",
            remedy: "have the client leave out what a proof does not need",
        }
        Malformed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_malformed",
            detail: "The DPoP proof is malformed.",
            meaning: "a proof that is no signed JWT with `jwk`, `htm`, `htu`, `iat`, `jti` and `ath`",
            remedy: "look at the client library; a proof for the provider has no `ath`",
        }
        WrongType => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_wrong_type",
            detail: "The DPoP proof has another type than dpop+jwt.",
            meaning: "`typ` of the proof is not `dpop+jwt`",
            remedy: "look at the client library: another JWT was sent as the proof",
        }
        AlgorithmNotSupported(None) => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_algorithm",
            detail: "The DPoP proof is signed with an algorithm that is not accepted here.",
            meaning: "the algorithm of the proof is not supported; `fault` in the audit names it if it is a registered one",
            remedy: "have the client use one of `algs` in the challenge",
        }
        KeyNotSupported(SkipReason::TooWeak) => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_key",
            detail: "The key of the DPoP proof is not accepted here.",
            meaning: "the `jwk` of the proof is private, weak, or does not fit the algorithm; `fault` in the audit says why",
            remedy: "have the client use another key; one that it sent with private members is known to others",
        }
        OtherMethod => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_method",
            detail: "The DPoP proof is for another method.",
            meaning: "`htm` of the proof is not the method of the request",
            remedy: "have the client make a proof for each request",
        }
        OtherUrl => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_url",
            detail: "The DPoP proof is for another URL.",
            meaning: "`htu` of the proof is not the URL of the request under `public_origin`",
            remedy: "compare `public_origin` with what the client calls; look whether a proxy changes the path",
        }
        TooOld => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_too_old",
            detail: "The DPoP proof is too old.",
            meaning: "`iat` of the proof is older than `dpop_proofs.window`",
            remedy: "compare the clocks of the client and of Envoy",
        }
        FromTheFuture => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_from_the_future",
            detail: "The DPoP proof was made in the future.",
            meaning: "`iat` of the proof is later than `dpop_proofs.window`",
            remedy: "compare the clocks of the client and of Envoy",
        }
        OtherNonce => {
            status: 401,
            challenge: Challenge::Error("use_dpop_nonce"),
            code: "use_dpop_nonce",
            detail: "The DPoP proof must have the nonce of this response.",
            meaning: "a proof without the nonce of the gate, or with one that is too old, and `dpop_proofs.nonces` is on; the client tries again with the one in `DPoP-Nonce`",
            remedy: "nothing, if the next request succeeds; else the client knows no nonces of resource servers (RFC 9449 section 9)",
        }
        IdMalformed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_id",
            detail: "The DPoP proof has no jti, or one that is too long.",
            meaning: "`jti` of the proof is absent, empty, no text or longer than 256 bytes",
            remedy: "look at the client library",
        }
        OtherToken => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_other_token",
            detail: "The DPoP proof is for another access token.",
            meaning: "`ath` of the proof is not the digest of the token",
            remedy: "have the client make a proof for each request",
        }
        OtherKey => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_other_key",
            detail: "The access token is bound to another key than that of the DPoP proof.",
            meaning: "the key of the proof is not the one that the token is bound to (`cnf.jkt`)",
            remedy: "have the client keep the key with which it got the token; if it did, the token was stolen",
        }
        BadSignature => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_bad_signature",
            detail: "The signature of the DPoP proof could not be verified.",
            meaning: "the signature of the proof is not good",
            remedy: "find out which program made or changed the proof",
        }
        Replayed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_replayed",
            detail: "The DPoP proof was used before.",
            meaning: "a second request with the same `jti` and key",
            remedy: "have the client make a proof for each request, also when it tries again; else the request was recorded and sent again",
        }
    }
}
