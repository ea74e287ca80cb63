//! Which provider an `iss` belongs to.

use std::collections::BTreeMap;

use super::ProviderId;
use crate::token::{is_guid, UntrustedToken, TENANT};

/// Which provider each configured issuer belongs to.
#[derive(Clone, Debug, Default)]
pub struct IssuerIndex {
    issuers: BTreeMap<String, ProviderId>,
    /// Whether one of them holds [`TENANT`].
    has_template: bool,
}

impl IssuerIndex {
    /// An index of pairs. Each issuer is in it once.
    pub fn new(issuers: BTreeMap<String, ProviderId>) -> Self {
        let has_template = issuers.keys().any(|issuer| issuer.contains(TENANT));
        Self {
            issuers,
            has_template,
        }
    }

    /// The provider that a token's `iss` belongs to: equal byte by byte (RFC 8725 §3.8), either as
    /// it is, or with the `tid` of the same token in place of [`TENANT`]. An issuer without
    /// [`TENANT`] is preferred.
    pub fn provider_of(&self, token: &UntrustedToken<'_>) -> Option<ProviderId> {
        let issuer = token.claimed_issuer();
        if !self.has_template {
            return self.issuers.get(issuer).copied();
        }
        // A token whose `iss` is the template itself would belong to every tenant.
        if issuer.contains(TENANT) {
            return None;
        }
        let template = || {
            let tenant = token.claimed_tenant()?;
            // The tenant becomes the template, so that one look-up is enough.
            self.issuers.get(&issuer.replace(tenant, TENANT))
        };
        self.issuers.get(issuer).or_else(template).copied()
    }

    /// Whether this is a configured issuer, byte by byte.
    pub fn contains(&self, issuer: &str) -> bool {
        self.issuers.contains_key(issuer)
    }

    /// Every issuer and its provider, in the order of the issuers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ProviderId)> {
        self.issuers
            .iter()
            .map(|(issuer, id)| (issuer.as_str(), *id))
    }

    /// For the audit record: a usual cause if a token has an unknown `iss`.
    pub fn hint(&self, issuer: &str) -> Option<&'static str> {
        let own = IssuerParts::of(issuer);
        let mut near = self
            .issuers
            .keys()
            .filter_map(|known| own.near(IssuerParts::of(known)));
        if let Some(hint) = near.next() {
            return Some(hint);
        }
        let tenant = issuer.split('/').find(|segment| is_guid(segment))?;
        let names_it = |issuer: &String| issuer.contains(tenant);
        let is_version_1 = issuer.starts_with("https://sts.");
        match self.issuers.keys().any(names_it) {
            true if is_version_1 => Some(
                "an Entra token of version 1.0 of a configured tenant: set \
                 requestedAccessTokenVersion to 2 or list this issuer",
            ),
            true if issuer.ends_with("/v2.0") => {
                Some("an Entra token of version 2.0 of a configured tenant: list this issuer")
            }
            _ => None,
        }
    }
}

/// An issuer in the parts in which two of one provider may differ: behind a proxy, a provider may
/// write the scheme and port of the proxy's requests.
#[derive(Clone, Copy)]
struct IssuerParts<'i> {
    /// Empty if there is none.
    scheme: &'i str,
    host: &'i str,
    port: Option<&'i str>,
    /// Without a slash at the end.
    path: &'i str,
    ends_in_slash: bool,
}

impl<'i> IssuerParts<'i> {
    fn of(issuer: &'i str) -> Self {
        let (scheme, rest) = issuer.split_once("://").unwrap_or(("", issuer));
        let ends_in_slash = rest.ends_with('/');
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        Self {
            scheme,
            host,
            port,
            path,
            ends_in_slash,
        }
    }

    /// How two issuers differ that may be meant to be the same.
    fn near(self, other: Self) -> Option<&'static str> {
        let texts = [(self.host, other.host), (self.path, other.path)];
        if !texts
            .iter()
            .all(|(one, other)| one.eq_ignore_ascii_case(other))
        {
            return None;
        }
        let in_scheme = !self.scheme.eq_ignore_ascii_case(other.scheme);
        let in_port = self.port != other.port;
        let in_slash = self.ends_in_slash != other.ends_in_slash;
        let in_case = texts.iter().any(|(one, other)| one != other)
            || (!in_scheme && self.scheme != other.scheme);
        match (in_scheme, in_port, in_slash, in_case) {
            (false, false, false, false) => None,
            (true, false, false, false) => {
                Some("a configured issuer differs in the scheme (http, https) alone")
            }
            (false, true, false, false) => Some("a configured issuer differs in the port alone"),
            (false, false, true, false) => {
                Some("a configured issuer differs in the slash at the end alone")
            }
            (false, false, false, true) => {
                Some("a configured issuer differs in upper and lower case alone")
            }
            _ => Some(
                "a configured issuer differs in more than one of scheme, port, slash at the end, upper \
                 and lower case",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
