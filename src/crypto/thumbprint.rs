//! Thumbprints of keys and certificates.

use std::fmt;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::Hash as Sha256;

/// The SHA-256 digest of a public key (RFC 7638) or of a certificate (RFC 8705 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::hash(bytes))
    }

    /// Reads base64url without padding, as claims have it. `None`: it is no SHA-256 digest.
    pub fn from_base64url(text: &str) -> Option<Self> {
        let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
        octets.try_into().map(Self).ok()
    }

    /// Reads hexadecimal digits, as Envoy writes the digest of a certificate. `None`: it is no SHA-256
    /// digest.
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut octets = [0; 32];
        if pairs.len() != octets.len() || !rest.is_empty() {
            return None;
        }
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(octets))
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn digit(letter: u8) -> Option<u8> {
    let value = char::from(letter).to_digit(16)?;
    u8::try_from(value).ok()
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const BASE64URL: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

    #[test]
    fn one_digest_is_read_in_both_forms() {
        let digest = Thumbprint::of(b"abc");
        assert_eq!(Thumbprint::from_hex(HEX), Some(digest));
        assert_eq!(Thumbprint::from_hex(&HEX.to_uppercase()), Some(digest));
        assert_eq!(Thumbprint::from_base64url(BASE64URL), Some(digest));
        assert_eq!(format!("{digest:?}"), BASE64URL);
    }

    #[test]
    fn what_is_no_digest_is_not_read() {
        let shorter = HEX.split_at(62).0;
        for text in [
            "",
            "x",
            shorter,
            &format!("{HEX}00"),
            &format!("{shorter}+0"),
        ] {
            assert_eq!(Thumbprint::from_hex(text), None, "{text}");
        }
        let shorter = BASE64URL.split_at(42).0;
        // The last letter has two bits that do not count: only one spelling of them is read.
        let other_bits = format!("{shorter}1");
        let padded = format!("{BASE64URL}=");
        let standard = BASE64URL.replace('-', "+").replace('_', "/");
        for text in ["", "x", shorter, &other_bits, &padded, &standard, HEX] {
            assert_eq!(Thumbprint::from_base64url(text), None, "{text}");
        }
    }
}
