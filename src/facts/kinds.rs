//! The kinds of facts: key sets, token statuses, minted API keys with their sessions, and log-ins of browsers.

mod at;
pub(super) mod browser_login;
pub(super) mod event;
pub(super) mod fact;
pub(super) mod key_set;
pub(super) mod minted_key;
mod refused_keys;
pub(super) mod store;
pub(super) mod token_status;

use browser_login::BrowserLogins;
use key_set::KeySetSource;
use minted_key::MintedKeys;
use token_status::TokenStatusSource;

use super::source::{Source, SourceOf};

/// A source of any kind: the list of the kinds.
pub(super) enum AnySource {
    KeySet(Box<SourceOf<KeySetSource>>),
    TokenStatus(Box<SourceOf<TokenStatusSource>>),
    MintedKeys(Box<SourceOf<MintedKeys>>),
    BrowserLogins(Box<SourceOf<BrowserLogins>>),
}

impl AsRef<dyn Source> for AnySource {
    fn as_ref(&self) -> &(dyn Source + 'static) {
        match self {
            Self::KeySet(source) => &**source,
            Self::TokenStatus(source) => &**source,
            Self::MintedKeys(source) => &**source,
            Self::BrowserLogins(source) => &**source,
        }
    }
}

impl AsMut<dyn Source> for AnySource {
    fn as_mut(&mut self) -> &mut (dyn Source + 'static) {
        match self {
            Self::KeySet(source) => &mut **source,
            Self::TokenStatus(source) => &mut **source,
            Self::MintedKeys(source) => &mut **source,
            Self::BrowserLogins(source) => &mut **source,
        }
    }
}
