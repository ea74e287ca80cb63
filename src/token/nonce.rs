//! Nonces that proofs must repeat (RFC 9449 §8).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::HMAC;

use crate::time::UnixSeconds;

/// How long a nonce is the current one, in seconds. It is accepted as long again.
const PERIOD: u64 = 300;

/// Makes nonces of the time, and recognizes them. So nothing is kept, and all workers and replicas with
/// one configuration have the same.
#[derive(Clone)]
pub struct NonceKey([u8; 32]);

impl NonceKey {
    /// With a key that only programs with this configuration have.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The nonce that clients must use now.
    pub fn current(&self, now: UnixSeconds) -> String {
        self.of(period(now))
    }

    /// Whether this is the nonce of now or the one before.
    pub fn accepts(&self, nonce: &str, now: UnixSeconds) -> bool {
        let now = period(now);
        nonce == self.of(now) || nonce == self.of(now.saturating_sub(1))
    }

    fn of(&self, period: u64) -> String {
        let code = HMAC::mac(period.to_be_bytes(), self.0);
        let half: &[u8; 16] = code.first_chunk().unwrap_or(&[0; 16]);
        URL_SAFE_NO_PAD.encode(half)
    }
}

const fn period(now: UnixSeconds) -> u64 {
    match now.0.checked_div(PERIOD) {
        Some(period) => period,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000;

    #[test]
    fn a_nonce_is_accepted_in_its_period_and_in_the_next() {
        let key = NonceKey::new([7; 32]);
        let nonce = key.current(UnixSeconds(START));
        assert_eq!(nonce.len(), 22);
        for (later, expected) in [
            (0, true),
            (299, true),
            (300, true),
            (599, true),
            (600, false),
        ] {
            let now = UnixSeconds(START.saturating_add(later));
            assert_eq!(key.accepts(&nonce, now), expected, "{later}");
        }
        assert!(!key.accepts(&nonce, UnixSeconds(START.saturating_sub(1))));
    }

    #[test]
    fn no_other_text_is_a_nonce() {
        let (key, other) = (NonceKey::new([7; 32]), NonceKey::new([8; 32]));
        let now = UnixSeconds(START);
        for nonce in [
            &*other.current(now),
            "",
            "x",
            &format!("{}=", key.current(now)),
        ] {
            assert!(!key.accepts(nonce, now), "{nonce}");
        }
    }
}
