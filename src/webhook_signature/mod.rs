//! Signatures of webhook deliveries: what a sender signs, where the signature is, and which is good.
//!
//! Nothing here is a decision. A [`Verifier`] reads the head of a request
//! ([`ClaimedDelivery`]), and then checks the body ([`VerifiedDelivery`]).

mod challenge;
mod claimed;
mod fault;
mod hmac_scheme;
mod key;
mod mac;
mod scheme;
mod senders;
mod template;
#[cfg(test)]
mod tests;
mod time;
mod twilio;
mod verifier;

pub use challenge::{Challenge, ChallengeReply};
pub use fault::SignatureFault;
pub use hmac_scheme::{HmacScheme, Written};
pub use key::{KeyFault, SignatureKey};
pub use mac::Hash;
pub use scheme::{Encoding, Scheme};
pub use senders::Sender;
pub use template::{Part, Template};
pub use time::TimeFormat;
pub use verifier::{ClaimedDelivery, DeliveryDigest, VerifiedDelivery, Verifier};
