//! The credential that a request may have had.

use n8n_idp_gate::identity::Kind;
use n8n_idp_gate::policy::{Instance, Provider, ProviderId, RestAuth, TokenFrom, WebhookRule};
use n8n_idp_gate::reply::Reason;
use n8n_idp_gate::token::{is_guid, TokenFault, UntrustedToken};
use serde_json::{json, Map, Value};

use super::judge::{Judge, Needs};
use super::nature::{nature, Nature};
use super::old::Facts;
use super::record::Record;
use super::worlds::{AUDIENCE, CLIENT, KIND};
use crate::explain::place::Place;
use crate::judge::claims::UnverifiedToken;

/// The credential that stands for that of a request.
pub(super) enum Sent {
    Nothing,
    ApiKey,
    /// No token of any provider.
    Garbage(&'static str),
    /// A token with these claims, where the header says.
    Token(&'static str, Map<String, Value>, Quality),
}

impl Sent {
    /// How good its token is, if it is one of a provider.
    pub(super) const fn quality(&self) -> Option<Quality> {
        match self {
            Self::Token(_, _, quality) => Some(*quality),
            Self::Nothing | Self::ApiKey | Self::Garbage(_) => None,
        }
    }
}

/// How good a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    /// Its signature is not good.
    Forged,
    /// It is good, and not from the client that it is bound to, or its provider has ended it.
    Unusable,
    /// It is good.
    Good,
}

impl<'p> Judge<'p> {
    /// The credentials that the request may have had.
    pub(super) fn sent(
        &self,
        record: &Record,
        place: &Place<'p, '_>,
        facts: Option<&Facts<'p>>,
        needs: &mut Needs,
    ) -> Vec<Sent> {
        let mut open = |need: &str| {
            needs.insert(need.to_owned());
            vec![Sent::Nothing, Sent::Garbage("Bearer ")]
        };
        let reason = record.reason();
        let rule = place.rule.map(|(_, rule)| rule);
        let has_same_places = match (facts, place.instance) {
            (Some(facts), Some(instance)) => facts.has_same_places(instance, rule),
            _ => true,
        };
        let was_looked_for = record.credential.is_some() || reason == Some(&Reason::NoCredential);
        if was_looked_for && !has_same_places {
            return open("where the credential was");
        }
        let credential = record.credential.as_deref();
        let is_dpop = credential == Some("dpop") || reason == Some(&Reason::DpopNotOffered);
        let offers_dpop = place
            .instance
            .is_some_and(|instance| !instance.public_origins.is_empty());
        let header = match credential {
            Some("bearer_as_api_key") => "",
            _ if is_dpop && !offers_dpop => "DPoP ",
            _ => "Bearer ",
        };
        if let Some(found) = record.iss.as_deref().zip(record.kind()) {
            return self.of_caller(record, (header, rule), found.0, &mut open);
        }
        let issuer = record.claimed.as_ref().and_then(|one| one.iss.as_deref());
        let accepts = |issuer| self.provider_of(issuer).is_some();
        match reason {
            Some(Reason::NoCredential) => vec![Sent::Nothing],
            Some(Reason::DpopNotOffered) if offers_dpop => open("the token"),
            Some(Reason::DpopNotOffered) => vec![Sent::Garbage("DPoP ")],
            Some(Reason::TokenAsApiKey) => {
                let takes = |instance: &Instance| instance.public_api.tokens_in_api_key;
                if record.is_on("public_api") && place.instance.is_some_and(takes) {
                    return open("the token in the place of an API key");
                }
                vec![Sent::ApiKey]
            }
            Some(Reason::UnknownIssuer) if issuer.is_none_or(accepts) => open("the token"),
            Some(refused) if self.may_be_good(record, issuer, refused) => open("the token"),
            Some(refused) if *refused == Reason::UnknownIssuer || is_of_credential(refused) => {
                let is_of_browser = matches!(
                    refused,
                    Reason::CrossSite | Reason::SeveralTokens | Reason::MalformedBrowserToken
                );
                if is_of_browser && rule.is_none_or(|rule| rule.token_from.is_none()) {
                    return open("where the token was");
                }
                vec![match issuer {
                    Some(issuer) => Sent::Token(header, claims_of(issuer), Quality::Forged),
                    None => Sent::Garbage(header),
                }]
            }
            _ if credential == Some("api_key") => vec![Sent::ApiKey],
            _ => {
                // Only there a request passes because it has no token.
                let was_read = facts.is_some_and(|facts| facts.instance.rest == RestAuth::Bearer);
                if was_read && record.is_on("rest") && reason.is_none() {
                    return vec![Sent::Nothing];
                }
                open("whether it had a token")
            }
        }
    }

    /// The token of a verified caller.
    fn of_caller(
        &self,
        record: &Record,
        (header, rule): (&'static str, Option<&WebhookRule>),
        issuer: &str,
        open: &mut dyn FnMut(&str) -> Vec<Sent>,
    ) -> Vec<Sent> {
        let provider = self.provider(record, issuer);
        let asks = provider.is_some_and(|(_, provider)| provider.introspection.is_some());
        let was_asked =
            record.introspection.is_some() || record.reason().map(nature) == Some(Nature::Status);
        if provider.is_some() && was_asked && !asks {
            return open("the token: its provider is not asked about it any more");
        }
        if let (Some(old), Some((_, new))) = (&self.old, provider) {
            let name = record.provider.as_deref().unwrap_or_default();
            if *new.name != *name || !old.has_same_checks(name) {
                return open("the token: it is checked or read in another way");
            }
        }
        let from = rule.and_then(|rule| rule.token_from.as_ref());
        let is_found = match record.credential.as_deref() {
            Some("bearer_in_cookie") => matches!(from, Some(TokenFrom::Cookie(_))),
            Some("bearer_in_query") => matches!(from, Some(TokenFrom::Query(_))),
            _ => true,
        };
        if !is_found {
            return vec![Sent::Nothing];
        }
        let mut claims = claims_of(issuer);
        let kind = record.kind().map(Kind::as_str);
        for (name, value) in [
            ("sub", record.sub.as_deref()),
            (CLIENT, record.client.as_deref()),
            (KIND, kind),
            ("jti", record.jti.as_deref()),
        ] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), json!(value));
            }
        }
        let mut all = vec![Sent::Token(header, claims.clone(), Quality::Good)];
        // What comes after the rules of the provider was not checked.
        if let Some(Reason::NotAdmitted(_) | Reason::TokenRevoked) = record.reason() {
            all.push(Sent::Token(header, claims, Quality::Unusable));
        }
        all
    }

    /// Whether the policy may accept a token that was refused, by what the record has of it.
    fn may_be_good(&self, record: &Record, issuer: Option<&str>, refused: &Reason) -> bool {
        let Some((_, provider)) = issuer.and_then(|issuer| self.provider_of(issuer)) else {
            return false;
        };
        let name = record.provider.as_deref().unwrap_or_default();
        let old = self.old.as_ref();
        if old.is_some_and(|old| is_of_credential(refused) && !old.has_same_checks(name)) {
            return true;
        }
        let audiences = record.claimed.as_ref().map(|claimed| &*claimed.aud);
        let mut named = audiences.unwrap_or_default().split(' ').chain(audiences);
        *refused == Reason::Token(TokenFault::WrongAudience)
            && named.any(|audience| provider.token.audiences.contains(audience))
    }

    /// The provider of a verified caller.
    pub(super) fn provider(
        &self,
        record: &Record,
        issuer: &str,
    ) -> Option<(ProviderId, &'p Provider)> {
        // An opaque token has no issuer of its own.
        let by_name = || {
            let mut providers = self.new.providers.iter().enumerate();
            let is_it = |provider: &Provider| Some(&*provider.name) == record.provider.as_deref();
            let found = providers.find(|(_, provider)| is_it(provider));
            let found = found.filter(|_| record.introspection.is_some());
            found.map(|(index, provider)| (ProviderId(index), provider))
        };
        self.provider_of(issuer).or_else(by_name)
    }

    /// The provider that an issuer belongs to.
    fn provider_of(&self, issuer: &str) -> Option<(ProviderId, &'p Provider)> {
        let tenants = issuer.split('/').filter(|part| is_guid(part)).map(Some);
        let mut ids = tenants.chain([None]).filter_map(|tenant| {
            let mut claims = claims_of(issuer);
            if let Some(tenant) = tenant {
                claims.insert("tid".to_owned(), json!(tenant));
            }
            let now = self.now.to_seconds();
            let token = UnverifiedToken::of(self.new, (claims, Map::new()), None, now);
            let token = UntrustedToken::parse(token.compact()).ok()?;
            self.new.issuers.provider_of(&token)
        });
        let id = ids.next()?;
        Some((id, self.new.providers.get(id.0)?))
    }
}

/// Whether the credential itself was refused, also where it is not known whether it was good.
pub(super) fn is_of_credential(reason: &Reason) -> bool {
    matches!(
        nature(reason),
        Nature::Credential | Nature::Status | Nature::Possession
    )
}

/// The claims of a token of this issuer.
pub(super) fn claims_of(issuer: &str) -> Map<String, Value> {
    let claims = [("iss", issuer), ("aud", AUDIENCE)];
    let claims = claims.map(|(name, value)| (name.to_owned(), json!(value)));
    claims.into_iter().collect()
}
