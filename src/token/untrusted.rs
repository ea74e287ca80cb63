//! A token that was read but not verified.

use super::TokenFault;

/// A token whose form is sound. Nothing in it may be believed.
#[derive(Debug)]
pub struct UntrustedToken<'t> {
    compact: &'t str,
}

impl<'t> UntrustedToken<'t> {
    /// Reads the compact serialisation (RFC 7515 §7.1).
    pub fn parse(compact: &'t str) -> Result<Self, TokenFault> {
        let _ = Self { compact }.compact;
        Err(TokenFault::NotAJws)
    }

    /// The `iss` that the token claims: good for choosing whose keys to check it with, no more.
    pub fn claimed_issuer(&self) -> &str {
        ""
    }
}
