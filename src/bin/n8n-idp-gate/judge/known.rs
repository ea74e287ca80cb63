//! What files say, in place of what the filter would fetch.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use n8n_idp_gate::crypto::{skipped_in_words, KeySet, KeySetFault};
use n8n_idp_gate::facts::{
    read_discovery, read_token_status, Availability, FactKind, Facts, KeyIdDigest, KeysFault,
    LoginRequest, MintRequest, NewerKeys, Outage, TokenStatus,
};
use n8n_idp_gate::policy::{KeySource, Policy, Provider, ProviderId};
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixMillis;
use n8n_idp_gate::token::TokenDigest;

use super::claims::{stand_in_keys, UnverifiedToken};
use crate::file::input;

/// What is known of providers and of n8n.
#[derive(Clone)]
pub(crate) struct Known {
    keys: BTreeMap<ProviderId, Result<KeySet, KeysFault>>,
    /// What the log of the filter would say about them.
    pub(crate) notes: Vec<String>,
    responses: BTreeMap<ProviderId, TokenStatus>,
    /// Stands for each API key and session that the gate would make in n8n.
    made: Secret,
}

impl Known {
    /// What the configuration itself has.
    pub(crate) fn of(policy: &Policy) -> Self {
        let keys = policy.providers.iter().enumerate();
        let keys = keys.filter_map(|(index, provider)| match &provider.keys {
            KeySource::Inline(keys) => Some((ProviderId(index), Ok(keys.clone()))),
            _ => None,
        });
        Self {
            keys: keys.collect(),
            notes: Vec::new(),
            responses: BTreeMap::new(),
            made: Secret::new("made-by-the-gate".to_owned()),
        }
    }

    /// Adds a discovery document. It is checked as the filter would check it.
    pub(crate) fn discovery(&mut self, (id, provider): (ProviderId, &Provider), document: &[u8]) {
        match read_discovery(provider, document) {
            Ok(keys) => self.notes.push(format!(
                "provider {}: its keys would be fetched from {keys}",
                provider.name
            )),
            Err(fault) => self.failed(id, provider, fault),
        }
    }

    /// Adds a key set.
    pub(crate) fn key_set(&mut self, (id, provider): (ProviderId, &Provider), document: &[u8]) {
        match KeySet::parse(document) {
            Ok(keys) => {
                let keys = keys.revoking(&provider.revoked_kids);
                // A discovery document that is refused brings none.
                self.keys.entry(id).or_insert(Ok(keys));
            }
            Err(fault) => self.failed(id, provider, fault.into()),
        }
    }

    /// Adds the response of a provider about the token.
    pub(crate) fn response(
        &mut self,
        (id, provider): (ProviderId, &Provider),
        document: Vec<u8>,
        now: UnixMillis,
    ) -> Result<(), String> {
        let asked = provider.introspection.as_ref();
        let asked = asked.ok_or_else(|| format!("{} is not asked about tokens", provider.name))?;
        let said = read_token_status(asked, document, now).map_err(|fault| fault.to_string())?;
        self.responses.insert(id, said);
        Ok(())
    }

    /// Adds the keys for a token that no provider signed.
    pub(crate) fn unverified(&mut self, token: &UnverifiedToken) {
        if let Some((id, keys)) = token.keys() {
            self.keys.insert(id, Ok(keys));
        }
    }

    /// Has all providers have the keys for tokens that no provider signed, and no others.
    pub(crate) fn stand_in(policy: &Policy) -> Self {
        let mut known = Self::of(policy);
        if let Some(keys) = stand_in_keys() {
            let ids = 0..policy.providers.len();
            known.keys = ids.map(|id| (ProviderId(id), Ok(keys.clone()))).collect();
        }
        known
    }

    /// The same without the responses about the token.
    pub(crate) fn without_responses(&self) -> Self {
        Self {
            responses: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Notes the keys that the filter would skip.
    pub(crate) fn note_skipped(&mut self, policy: &Policy) {
        for (id, keys) in &self.keys {
            let skipped = match keys {
                Ok(keys) => keys.skipped(),
                Err(KeysFault::Keys(KeySetFault::NoUsableKey(skipped))) => skipped,
                Err(_) => continue,
            };
            if let (false, Some(provider)) = (skipped.is_empty(), policy.providers.get(id.0)) {
                let (name, skipped) = (&provider.name, skipped_in_words(skipped));
                let note = format!("provider {name}: keys of the key set are skipped: {skipped}");
                self.notes.push(note);
            }
        }
    }

    /// The filter would have no keys of this provider.
    fn failed(&mut self, id: ProviderId, provider: &Provider, fault: KeysFault) {
        let name = &provider.name;
        let note = format!("provider {name}: the keys could not be fetched: {fault}");
        self.notes.push(note);
        let advice = fault.code().advice(FactKind::Keys);
        self.notes
            .extend(advice.map(|advice| advice.remedy.to_owned()));
        self.keys.insert(id, Err(fault));
    }
}

/// The provider of this name.
pub(crate) fn provider<'p>(
    policy: &'p Policy,
    name: &str,
) -> Result<(ProviderId, &'p Provider), String> {
    let mut providers = policy.providers.iter().enumerate();
    let found = providers.find(|(_, provider)| &*provider.name == name);
    let (index, provider) = found.ok_or_else(|| {
        let known = policy.providers.iter().map(|provider| &*provider.name);
        let known: Vec<_> = known.collect();
        format!(
            "there is no provider {name:?}; there are: {}",
            known.join(", ")
        )
    })?;
    Ok((ProviderId(index), provider))
}

/// The provider and the file that `PROVIDER=FILE` names.
pub(crate) fn named<'n>(
    policy: &'n Policy,
    argument: &'n str,
) -> Result<((ProviderId, &'n Provider), &'n Path), String> {
    let (name, path) = argument
        .split_once('=')
        .ok_or_else(|| format!("{argument:?} is not of the form PROVIDER=FILE"))?;
    Ok((provider(policy, name)?, Path::new(path)))
}

/// The same with the content of the file.
pub(crate) fn document<'n>(
    policy: &'n Policy,
    argument: &'n str,
) -> Result<((ProviderId, &'n Provider), Vec<u8>), String> {
    let (provider, path) = named(policy, argument)?;
    Ok((provider, input::bytes(path)?))
}

impl Facts for Known {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        match self.keys.get(&provider) {
            Some(Ok(keys)) => Availability::Known(keys),
            Some(Err(fault)) => Availability::Unavailable(Outage {
                retry_after: Duration::from_secs(1),
                fault: Some(fault.code().as_str()),
            }),
            None => Availability::Pending,
        }
    }

    fn may_have_changed(&self, _: ProviderId, _: &dyn Fn() -> KeyIdDigest) -> bool {
        false
    }

    fn newer_keys(&self, _: ProviderId, _: KeyIdDigest) -> NewerKeys {
        NewerKeys::Unlikely
    }

    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        _: &TokenDigest,
    ) -> Availability<TokenStatus> {
        match self.responses.get(&provider) {
            Some(status) => Availability::Known(status.clone()),
            None => Availability::Pending,
        }
    }

    fn minted_key(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Known(&self.made)
    }

    fn session(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Known(&self.made)
    }

    fn browser_login(&self, _: &LoginRequest) -> Availability<&Secret> {
        Availability::Known(&self.made)
    }

    fn is_refused(&self, _: &Secret) -> bool {
        false
    }
}
