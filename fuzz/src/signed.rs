//! Tokens that an input describes in three lines: how to sign, the header and the claims.
//!
//! How to sign is an algorithm, or `attacker` for a key that the provider does not have, and after it, if the
//! signed text is to be altered, a position and a byte.

use crate::mint::Mint;
use crate::world::{attacker, key};

/// A token that was made for a target.
pub(crate) struct Signed<'i> {
    pub(crate) text: Vec<u8>,
    pub(crate) header: &'i [u8],
    pub(crate) claims: &'i [u8],
    pub(crate) algorithm: &'static str,
    /// The provider signed exactly these bytes.
    pub(crate) is_genuine: bool,
}

/// The token that an input describes; `None`: it describes none.
pub(crate) fn signed(input: &[u8]) -> Option<Signed<'_>> {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let (how, header, claims) = (lines.next()?, lines.next()?, lines.next()?);
    let mut words = std::str::from_utf8(how).ok()?.split(' ');
    let name = words.next()?;
    let is_attacker = name == "attacker";
    let mint: &Mint = if is_attacker { attacker() } else { key(name)? };
    let genuine = mint.raw(mint.algorithm(), header, claims).into_bytes();
    let mut text = genuine.clone();
    if let (Some(at), Some(byte)) = (number(words.next()), number(words.next())) {
        let at = at % text.len();
        text[at] = byte.to_le_bytes()[0];
    }
    Some(Signed {
        is_genuine: !is_attacker && text == genuine,
        text,
        header,
        claims,
        algorithm: mint.algorithm(),
    })
}

fn number(word: Option<&str>) -> Option<usize> {
    word?.parse().ok()
}
