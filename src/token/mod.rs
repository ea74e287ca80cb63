//! From the bytes of a request to a token that can be trusted.

mod bearer;
mod fault;
mod untrusted;
mod verified;

pub use bearer::{bearer, Bearer, BearerFault};
pub use fault::TokenFault;
pub use untrusted::UntrustedToken;
pub use verified::VerifiedToken;
