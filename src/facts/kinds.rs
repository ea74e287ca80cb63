//! The kinds of facts: key sets, token statuses and minted API keys.

mod at;
pub(super) mod event;
pub(super) mod fact;
pub(super) mod key_set;
pub(super) mod minted_key;
mod refused_keys;
pub(super) mod store;
pub(super) mod token_status;

use key_set::KeySetSource;
use minted_key::MintedKeys;
use token_status::TokenStatusSource;

use super::source::{Source, SourceOf};

/// A source of any kind: the list of the kinds.
pub(super) enum AnySource {
    KeySet(Box<SourceOf<KeySetSource>>),
    TokenStatus(Box<SourceOf<TokenStatusSource>>),
    MintedKeys(Box<SourceOf<MintedKeys>>),
}

impl AsRef<dyn Source> for AnySource {
    fn as_ref(&self) -> &(dyn Source + 'static) {
        match self {
            Self::KeySet(source) => &**source,
            Self::TokenStatus(source) => &**source,
            Self::MintedKeys(source) => &**source,
        }
    }
}

impl AsMut<dyn Source> for AnySource {
    fn as_mut(&mut self) -> &mut (dyn Source + 'static) {
        match self {
            Self::KeySet(source) => &mut **source,
            Self::TokenStatus(source) => &mut **source,
            Self::MintedKeys(source) => &mut **source,
        }
    }
}
