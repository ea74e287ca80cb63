//! What operators learn of facts, in the log and by metrics.

use crate::crypto::SkippedKey;
use crate::facts::{KeysFault, MintedKeyFault, TokenStatusFault};
use crate::policy::{InstanceId, ProviderId};

/// Something about a fact that operators learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The keys of a provider were fetched.
    KeysFetched(ProviderId),
    /// These keys of its key set are left out, which are others than before.
    KeysSkipped(ProviderId, Vec<SkippedKey>),
    /// Its keys could not be fetched.
    KeysFailed(ProviderId, KeysFault),
    /// A provider said about a token whether it is active.
    TokenStatusReceived(ProviderId, bool),
    /// A call about a token brought no status.
    TokenStatusFailed(ProviderId, TokenStatusFault),
    /// An API key of n8n was made.
    KeyMinted(InstanceId),
    /// A session of a user of n8n was made, because requests need it.
    LoggedIn(InstanceId),
    /// No API key and no session could be made for the user with this address.
    KeyFailed(InstanceId, String, MintedKeyFault),
}
