//! From the bytes of a request to a verified token.

mod active_response;
mod api_key;
mod bearer;
mod binding;
mod claims;
mod digest;
mod event;
mod fault;
mod issuer;
mod kind;
mod misfit;
mod nonce;
mod numeric_date;
mod opaque;
mod possession_fault;
mod proof;
mod proof_fault;
mod response_kind;
mod rules;
mod tenant;
mod times;
mod untrusted;
mod unverified_claims;
mod verified;

pub use active_response::{ActiveResponse, Term};
pub use api_key::{is_api_key, ApiKeyForm, KeyClaims};
pub use bearer::{bearer, Bearer, BearerFault, CompactToken};
pub use binding::Binding;
pub use claims::{text, NotText, CLIENT_CLAIMS};
pub use digest::TokenDigest;
pub use event::{Ended, EndedBy, EventFault, EventKind, EventRules, VerifiedEvent};
pub use fault::TokenFault;
#[cfg(test)]
pub(crate) use issuer::samples as issuer_samples;
pub use misfit::misfit;
pub use nonce::NonceKey;
pub use opaque::is_opaque;
pub use possession_fault::PossessionFault;
pub use proof::{ProofTarget, VerifiedProof, MAX_PROOF_BYTES, MAX_PROOF_ID_BYTES, PROOF_HEADER};
pub use proof_fault::ProofFault;
pub use response_kind::ResponseKind;
pub use rules::{Issuers, TokenRules, TypRule};
pub use tenant::{is_guid, TENANT};
pub use untrusted::{UntrustedToken, MAX_TOKEN_BYTES, MAX_TOKEN_DEPTH};
pub use unverified_claims::UnverifiedClaims;
#[cfg(not(target_arch = "wasm32"))]
pub use verified::TokenCheck;
pub use verified::{Confirmation, VerifiedToken};
