//! Message authentication codes (RFC 2104), and their comparison.

use std::borrow::Cow;

use subtle::ConstantTimeEq as _;

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1. As an HMAC it is not broken (RFC 6151 §2 says the same of MD5); Twilio still uses it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The length of a code, in bytes. A shorter signature is none: with one byte of it, an attacker
    /// would guess it in 256 tries.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The code of a message, which is given in parts so that a body is not copied.
    pub(super) fn mac(self, key: &[u8], message: &[Cow<'_, [u8]>]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac_sha1_compact::HMAC::mac(&message.concat(), key).to_vec(),
            Self::Sha256 => {
                let mut mac = hmac_sha256::HMAC::new(key);
                for part in message {
                    mac.update(part);
                }
                mac.finalize().to_vec()
            }
            Self::Sha512 => {
                let mut mac = hmac_sha512::HMAC::new(key);
                for part in message {
                    mac.update(part);
                }
                mac.finalize().to_vec()
            }
        }
    }
}

/// Whether two values are the same, in a time that does not say where they differ.
pub(super) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::hex;

    #[test]
    fn the_codes_are_those_of_the_standards() {
        // RFC 2202 §3 test case 2 and RFC 4231 §4.3, in parts.
        let message: Vec<Cow<'_, [u8]>> = ["what do ya ", "", "want for nothing?"]
            .map(|part| part.as_bytes().into())
            .to_vec();
        for (hash, expected) in [
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                Hash::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a\
                 6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let code = hash.mac(b"Jefe", &message);
            assert_eq!(hex::encoded(&code), expected.replace(' ', ""));
            assert_eq!(code.len(), hash.length());
        }
    }

    #[test]
    fn only_the_same_bytes_are_equal() {
        assert!(is_equal(b"abc", b"abc"));
        for other in [&b""[..], b"ab", b"abcd", b"abd", b"\0bc"] {
            assert!(!is_equal(b"abc", other));
        }
    }
}
