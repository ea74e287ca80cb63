//! From the bytes of a request to a token that can be trusted.

mod answer;
mod api_key;
mod bearer;
mod claimed;
mod fault;
mod issuer;
mod kind;
mod memo;
mod misfit;
mod numeric_date;
mod opaque;
mod rules;
mod times;
mod untrusted;
mod verified;

pub use answer::{ActiveAnswer, Term};
pub use api_key::{ApiKeyForm, KeyClaims};
pub use bearer::{bearer, Bearer, BearerFault, CompactToken};
pub use claimed::Claimed;
pub use fault::TokenFault;
pub use issuer::{hint, is_guid, owner, TENANT};
pub use memo::{Memo, MemoKey, TokenDigest, MAX_REMEMBERED, MAX_REMEMBERED_BYTES};
pub use misfit::misfit;
pub use opaque::is_opaque;
pub use rules::{TokenRules, TypRule};
pub use untrusted::{UntrustedToken, MAX_TOKEN_BYTES, MAX_TOKEN_DEPTH};
pub use verified::{Answered, VerifiedToken};
