//! Which deliveries are good, and the proof that one was.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use blake2b_simd::Params;

use super::challenge::{Challenge, ChallengeReply};
use super::claimed::{Claim, Claimed};
use super::fault::SignatureFault;
use super::key::{is_signed_with, SignatureKey};
use super::mac::is_equal;
use super::scheme::{Layout, Scheme, Signed};
use super::template::Part;
use super::twilio;
use crate::http::RequestHead;
use crate::time::UnixSeconds;

/// Checks the deliveries of one sender.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// How the sender signs.
    pub scheme: Scheme,
    /// Its secrets: several while they are rotated. Any of them is enough.
    pub keys: Vec<SignatureKey>,
    /// How far the time of a delivery may be from now.
    pub tolerance: Duration,
    /// Scheme, host and port under which the sender calls the gate, where the URL is signed.
    pub origin: String,
    /// The questions that the gate answers.
    pub challenge: Challenge,
}

/// A delivery of which the head was read. Nothing was verified.
#[derive(Debug)]
pub struct ClaimedDelivery<'r> {
    verifier: &'r Verifier,
    request: &'r RequestHead,
    claimed: Claimed<'r>,
}

/// The proof that the sender signed this delivery, with this body. Only
/// [`ClaimedDelivery::verify`] makes one.
pub struct VerifiedDelivery<'r> {
    verifier: &'r Verifier,
    claimed: &'r Claimed<'r>,
    key: (usize, &'r SignatureKey),
    message: Vec<Cow<'r, [u8]>>,
    body: &'r [u8],
}

/// What one delivery differs from every other in: all that was signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryDigest(pub [u8; DIGEST]);

const DIGEST: usize = 32;

impl Verifier {
    /// A question about the URL, which is no delivery and has no signature.
    pub fn question(
        &self,
        request: &RequestHead,
    ) -> Option<Result<ChallengeReply, SignatureFault>> {
        self.challenge.of_head(request)
    }

    /// Reads the head of a delivery.
    ///
    /// # Errors
    ///
    /// The head cannot be that of a delivery, whatever its body is.
    pub fn read<'r>(
        &'r self,
        request: &'r RequestHead,
    ) -> Result<ClaimedDelivery<'r>, SignatureFault> {
        if !self.scheme.methods.allow(request.method()) {
            let allowed = self.scheme.methods.names();
            return Err(SignatureFault::Method { allowed });
        }
        Ok(ClaimedDelivery {
            verifier: self,
            request,
            claimed: self.scheme.read(request)?,
        })
    }
}

impl ClaimedDelivery<'_> {
    /// The id that the sender gave it, for the audit record.
    pub fn id(&self) -> Option<&str> {
        self.claimed.id
    }

    /// Checks the signature, then the time.
    ///
    /// # Errors
    ///
    /// The delivery is not good.
    pub fn verify<'v>(
        &'v self,
        body: &'v [u8],
        now: UnixSeconds,
    ) -> Result<VerifiedDelivery<'v>, SignatureFault> {
        let mut messages = self.messages(body)?;
        let keys = self.verifier.keys.iter().enumerate();
        let mut keys = keys.map(|(index, key)| (index.saturating_add(1), key));
        let key = keys.find(|(_, key)| self.is_good(key, &messages));
        let key = key.ok_or(SignatureFault::Invalid)?;
        if let Some((_, time)) = self.claimed.timestamp {
            let tolerance = self.verifier.tolerance;
            if time.saturating_add(tolerance) < now {
                return Err(SignatureFault::Stale("too_old"));
            }
            if now.saturating_add(tolerance) < time {
                return Err(SignatureFault::Stale("in_the_future"));
            }
        }
        Ok(VerifiedDelivery {
            verifier: self.verifier,
            claimed: &self.claimed,
            key,
            message: messages.swap_remove(0),
            body,
        })
    }

    /// Whether a signature was made with this key. Every signature is compared.
    fn is_good(&self, key: &SignatureKey, messages: &[Vec<Cow<'_, [u8]>>]) -> bool {
        let codes: Vec<_> = match (key, &self.verifier.scheme.layout) {
            (SignatureKey::Ed25519(_), _) | (_, Layout::Token) => Vec::new(),
            (SignatureKey::Shared(secret), _) => messages
                .iter()
                .map(|message| self.verifier.scheme.hash.mac(secret, message))
                .collect(),
        };
        let is_good = |claim: &Claim| match (claim, key) {
            (Claim::Token(token), _) => key.is(token),
            (Claim::Mac(mac), _) => codes
                .iter()
                .fold(false, |is_good, code| is_equal(code, mac) | is_good),
            (Claim::Ed25519(signature), SignatureKey::Ed25519(key)) => messages
                .iter()
                .any(|message| is_signed_with(key, signature, message)),
            (Claim::Ed25519(_), SignatureKey::Shared(_)) => false,
        };
        let signatures = self.claimed.signatures.iter();
        signatures.fold(false, |found, claim| is_good(claim) | found)
    }

    /// What may have been signed: one message, or several of which one was.
    fn messages<'m>(&'m self, body: &'m [u8]) -> Result<Vec<Vec<Cow<'m, [u8]>>>, SignatureFault> {
        let origin = &self.verifier.origin;
        let template = match &self.verifier.scheme.signed {
            Signed::Twilio => return twilio::messages(origin, self.request, body),
            Signed::Parts(template) => template,
        };
        let parts = template.0.iter().map(|part| match part {
            Part::Text(text) => Cow::from(text.as_bytes()),
            Part::Body => body.into(),
            Part::Timestamp => {
                let text = self.claimed.timestamp.map_or("", |(text, _)| text);
                text.as_bytes().into()
            }
            Part::Id => self.claimed.id.unwrap_or_default().as_bytes().into(),
            Part::Url => [origin.as_bytes(), self.request.target()].concat().into(),
            Part::Path => self.request.target().into(),
            Part::Method => self.request.method().into(),
        });
        Ok(vec![parts.collect()])
    }
}

impl VerifiedDelivery<'_> {
    /// The number of the secret that it is signed with, from 1.
    pub const fn secret_number(&self) -> usize {
        self.key.0
    }

    /// The headers in it that hold a secret.
    pub const fn secret_headers(&self) -> &'static [&'static str] {
        self.verifier.scheme.secret_headers()
    }

    /// The question about the URL that it is, if it is one.
    pub fn question(&self) -> Option<Result<ChallengeReply, SignatureFault>> {
        self.verifier.challenge.of_body(self.body, self.key.1)
    }

    /// What it differs from every other delivery in. An id that is not signed is no part of it:
    /// an attacker would send the same delivery again under another id. Nor is the signature: with
    /// two secrets a delivery has two of them.
    pub fn digest(&self) -> DeliveryDigest {
        let mut state = Params::new().hash_length(DIGEST).to_state();
        if matches!(self.verifier.scheme.layout, Layout::Token) {
            state.update(self.claimed.id.unwrap_or_default().as_bytes());
            state.update(b"\0");
        }
        for part in &self.message {
            state.update(part);
        }
        let mut digest = [0; DIGEST];
        for (to, from) in digest.iter_mut().zip(state.finalize().as_bytes()) {
            *to = *from;
        }
        DeliveryDigest(digest)
    }

    /// Until when it would be good if it were sent again. Without a time of its own it is good for
    /// ever, and is refused for as long as one that was signed now.
    pub fn good_until(&self, now: UnixSeconds) -> UnixSeconds {
        let time = self.claimed.timestamp.map_or(now, |(_, time)| time);
        time.saturating_add(self.verifier.tolerance)
    }
}

/// Shows nothing of the body.
impl fmt::Debug for VerifiedDelivery<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifiedDelivery(secret {})", self.key.0)
    }
}

/// It is no secret, but would link lines of a log to a delivery.
impl fmt::Debug for DeliveryDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DeliveryDigest")
    }
}
