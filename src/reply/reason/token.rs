//! Refusals because the token does not verify.

use crate::reply::challenge::{Challenge, INVALID_TOKEN};
use crate::reply::table::faults;
use crate::token::TokenFault;

faults! {
    TokenFault {
        TooLong => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "too_long",
            detail: "The access token is too long.",
            meaning: "the token is too long",
            remedy: "have the provider put less into it: groups, most often",
        }
        NotAJws => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "not_a_jws",
            detail: "The access token is not a signed JWT.",
            meaning: "not a signed JWT",
            remedy: "ask the provider for a JWT (many make one only for a token with an audience), or set `introspection` for opaque tokens",
        }
        Encrypted => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "encrypted",
            detail: "The access token is encrypted; send a signed one.",
            meaning: "an encrypted token",
            remedy: "switch encryption of access tokens off at the provider",
        }
        HeaderMalformed => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "header_malformed",
            detail: "The access token is malformed.",
            meaning: "the header of the token is malformed",
            remedy: "look whether the token was cut or changed on its way",
        }
        CriticalHeader => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "critical_header",
            detail: "The access token is malformed.",
            meaning: "the token demands an extension",
            remedy: "have the provider leave the extension out",
        }
        ClaimsMalformed => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "claims_malformed",
            detail: "The access token is malformed.",
            meaning: "the claims of the token are malformed",
            remedy: "look whether the token was cut or changed on its way",
        }
        ClaimOfWrongType("exp") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "claim_of_wrong_type",
            detail: "The access token is malformed.",
            meaning: "a claim is of a wrong type; `fault` in the audit names it",
            remedy: "correct the claim at the provider; look at its mappers",
        }
        IssuerMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issuer_missing",
            detail: "The access token is malformed.",
            meaning: "the token names no issuer",
            remedy: "have the provider put `iss` into its tokens",
        }
        AlgorithmNotAllowed(None) => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "algorithm_not_allowed",
            detail: "The access token is signed with an algorithm that is not accepted here.",
            meaning: "the algorithm of the token is not allowed",
            remedy: "compare `fault` with `algorithms`; let the provider sign with a key pair",
        }
        WrongType("typ") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "wrong_type",
            detail: "The token is not an access token.",
            meaning: "another kind of token: `fault` in the audit names the member that says so, or that is missing",
            remedy: "send the access token, not the ID token; see `typ`, and `hint` of the audit",
        }
        KindMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "kind_missing",
            detail: "The token is not an access token.",
            meaning: "the provider's response does not say what kind of token it is",
            remedy: "have the provider send `token_type`, or see `accept_untyped`",
        }
        SenderConstrained => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "sender_constrained",
            detail: "The access token is bound to a key of its client, and no proof of that key was sent.",
            meaning: "a token that is bound to a key of its client, sent as a bearer token; or one whose `cnf` the gate does not know",
            remedy: "have the client send it as `Authorization: DPoP` with a proof; see [sender-constrained tokens](../guides/sender-constrained-tokens.md)",
        }
        AudienceMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "audience_missing",
            detail: "The access token is not for this resource.",
            meaning: "the token names no audience",
            remedy: "have the provider put `aud` in (`[]` names no audience), or see `audience_claim`; `hint` names the usual cause",
        }
        WrongAudience => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "wrong_audience",
            detail: "The access token is not for this resource.",
            meaning: "the token is for another audience",
            remedy: "compare `claimed.aud` with `audiences`; ask for a token with the API's scope or resource; see `hint`",
        }
        ExpiryMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "expiry_missing",
            detail: "The access token has no validity period that is accepted here.",
            meaning: "the token has no expiry",
            remedy: "correct the lifetime of tokens at the provider",
        }
        Expired => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "expired",
            detail: "The access token has expired.",
            meaning: "the token has expired",
            remedy: "have the client get a new token in time; compare the clocks",
        }
        NotYetValid => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "not_yet_valid",
            detail: "The access token is not valid yet.",
            meaning: "the token is not valid yet",
            remedy: "compare the clocks; see `clock_skew`",
        }
        IssuedInTheFuture => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issued_in_the_future",
            detail: "The access token is not valid yet.",
            meaning: "the token was issued in the future",
            remedy: "compare the clocks; see `clock_skew`",
        }
        IssuedAfterExpiry => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issued_after_expiry",
            detail: "The access token has no validity period that is accepted here.",
            meaning: "the token was issued after its expiry",
            remedy: "correct the lifetime of tokens at the provider",
        }
        UnknownKeyId(None) => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "unknown_key_id",
            detail: "The signature of the access token could not be verified.",
            meaning: "no usable key of the provider has the token's key id; `fault` in the audit says where one is published and [skipped](faults.md#keys-that-are-skipped)",
            remedy: "look at `fault`, and whether the provider publishes `claimed.kid`: another realm or environment may have the same issuer",
        }
        RevokedKey => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "revoked_key",
            detail: "The signature of the access token could not be verified.",
            meaning: "the operator revoked the token's key: `revoked_kids`",
            remedy: "have the client get a token that is signed with another key",
        }
        NoKeyFits => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "no_key_fits",
            detail: "The signature of the access token could not be verified.",
            meaning: "no key of the provider fits the token",
            remedy: "have the provider put `kid` in; compare `alg` with the published key",
        }
        KeyOfAnotherIssuer => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "key_of_another_issuer",
            detail: "The signature of the access token could not be verified.",
            meaning: "the key of the token signs for another issuer",
            remedy: "look at the `issuer` of the published key; with Entra, use `tenant`",
        }
        BadSignature => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "bad_signature",
            detail: "The signature of the access token could not be verified.",
            meaning: "the signature is not good",
            remedy: "find out which program made or changed the token",
        }
        Inactive => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "inactive",
            detail: "The identity provider does not confirm the access token.",
            meaning: "the provider says that the token is not active",
            remedy: "have the client get a new token; look whether it is of this provider and environment, and whether the gate's own client may ask about it",
        }
        ResponseDisagrees("iss") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "answer_disagrees",
            detail: "The identity provider does not confirm the access token.",
            meaning: "the provider's response names another issuer, subject, client or token; `fault` in the audit names the member",
            remedy: "find out which program made the token: the provider's response and the token differ",
        }
    }
}
