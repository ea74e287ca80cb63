//! Encryption of what workers share, if it holds secrets.
//!
//! XChaCha20-Poly1305 under a key that only workers with the same configuration can derive. The name
//! under which a value is shared is its associated data: it stands for the kind of fact, the instance and
//! the user, so that a value that was copied to another name does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac_sha256::{Hash, HMAC};

/// The length of a nonce, in bytes.
const NONCE: usize = 24;

/// Encrypts and opens values.
pub(in crate::facts) struct Encryption {
    nonces: [u8; 32],
    cipher: XChaCha20Poly1305,
}

impl Encryption {
    /// Derived from the key of what workers share. Neither of its two keys says anything about the other.
    pub(in crate::facts) fn derive(key: &[u8; 32]) -> Self {
        let derived = |purpose: &str| HMAC::mac(purpose, key);
        Self {
            nonces: derived("nonces of encrypted values, version 1"),
            cipher: XChaCha20Poly1305::new(&derived("encrypted values, version 1").into()),
        }
    }

    /// The nonce, and the value under it.
    ///
    /// The nonce is made of name and value, as a synthetic initialisation vector (RFC 5297 §2.6 has the
    /// idea). A module has no clock and no memory that makes a counter safe after a restart. So two values
    /// never have one nonce, and equal ones look equal, which tells nothing: no two keys of n8n are.
    pub(in crate::facts) fn encrypt(&self, name: &str, value: &[u8]) -> Option<Vec<u8>> {
        let nonce = self.nonce(name, value);
        let payload = Payload {
            msg: value,
            aad: name.as_bytes(),
        };
        let mut sealed = nonce.to_vec();
        sealed.extend(self.cipher.encrypt(&nonce, payload).ok()?);
        Some(sealed)
    }

    /// The value, if it was encrypted with this key under this name.
    pub(in crate::facts) fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: encrypted,
            aad: name.as_bytes(),
        };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn nonce(&self, name: &str, value: &[u8]) -> XNonce {
        let mut code = HMAC::new(self.nonces);
        code.update(Hash::hash(name.as_bytes()));
        code.update(value);
        let code = code.finalize();
        let first: [u8; NONCE] = code.first_chunk().copied().unwrap_or_default();
        XNonce::from(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(key: u8) -> Encryption {
        Encryption::derive(&[key; 32])
    }

    #[test]
    fn a_value_opens_with_its_key_under_its_name_alone() {
        let one = encryption(1);
        let sealed = one.encrypt("name", b"secret value").unwrap();
        assert_eq!(one.open("name", &sealed).unwrap(), b"secret value");
        assert_eq!(one.open("other", &sealed), None);
        assert_eq!(encryption(2).open("name", &sealed), None);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(one.open("name", &changed), None, "{index}");
            assert_eq!(one.open("name", &sealed[..index]), None, "{index}");
        }
    }

    #[test]
    fn nothing_of_a_value_can_be_read_and_no_nonce_is_used_for_two_values() {
        let one = encryption(1);
        let sealed = one.encrypt("name", b"secret value").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        let nonce = |name: &str, value: &[u8]| one.nonce(name, value);
        assert_ne!(nonce("name", b"a"), nonce("name", b"b"));
        assert_ne!(nonce("name", b"a"), nonce("named", b"a"));
        assert_eq!(sealed.len(), NONCE + b"secret value".len() + 16);
    }
}
