//! Which provider an `iss` belongs to, and which keys may sign for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TokenRules;
use super::UntrustedToken;
use crate::crypto::PublicKey;
use crate::policy::ProviderId;

/// What stands for the tenant in an issuer of several tenants, as Entra writes it in discovery
/// documents and keys.
pub const TENANT: &str = "{tenantid}";

/// The provider that a token's `iss` belongs to: byte by byte (RFC 8725 §3.8), or byte by byte
/// once the `tid` of the same token stands in an issuer in place of [`TENANT`]. An issuer that is
/// written out goes before one with a place for any tenant.
pub fn owner(
    issuers: &BTreeMap<String, ProviderId>,
    token: &UntrustedToken<'_>,
) -> Option<ProviderId> {
    let issuer = token.claimed_issuer();
    // The text of a template is nobody's `iss`.
    if issuer.contains(TENANT) {
        return None;
    }
    let template = || {
        let tenant = tenant(token.claims())?;
        // The other way round: the one key that this `iss` can be found under.
        issuers.get(&issuer.replace(tenant, TENANT))
    };
    issuers.get(issuer).or_else(template).copied()
}

/// What an operator may have overlooked when a token of an issuer came that nobody has.
pub fn hint(issuers: &BTreeMap<String, ProviderId>, issuer: &str) -> Option<&'static str> {
    let own = Parts::of(issuer);
    let mut near = issuers
        .keys()
        .filter_map(|known| own.near(Parts::of(known)));
    if let Some(hint) = near.next() {
        return Some(hint);
    }
    let tenant = issuer.split('/').find(|segment| is_guid(segment))?;
    let names_it = |issuer: &String| issuer.contains(tenant);
    let is_version_1 = issuer.starts_with("https://sts.");
    match issuers.keys().any(names_it) {
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

/// An issuer in the parts in which two of one provider may differ: behind a proxy a provider takes
/// its own scheme and port for those of its callers.
#[derive(Clone, Copy)]
struct Parts<'i> {
    /// Empty where there is none.
    scheme: &'i str,
    host: &'i str,
    port: Option<&'i str>,
    /// Without a slash at the end.
    path: &'i str,
    ends_in_slash: bool,
}

impl<'i> Parts<'i> {
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

    /// In what two issuers differ that may be meant to be one.
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

/// Whether a key may have signed a token. A key set that serves many tenants says with some keys
/// whose they are; without this check one tenant's key would sign for all of them.
///
/// Entra publishes the keys of its tokens of version 1.0 under the issuer of version 2.0. So a key
/// of the issuer whose discovery document was read signs for the provider's other issuers too, as
/// long as both name the tenant in `tid`.
pub(super) fn may_sign(key: &PublicKey, token: &UntrustedToken<'_>, rules: &TokenRules) -> bool {
    let Some(bound) = key.issuer() else {
        return true;
    };
    let issuer = token.claimed_issuer();
    let Some(tenant) = tenant(token.claims()) else {
        return bound == issuer;
    };
    let bound = bound.replace(TENANT, tenant);
    let names_it = |text: &str| text.split('/').any(|segment| segment == tenant);
    bound == issuer
        || (names_it(issuer)
            && names_it(&bound)
            && bound == rules.discovery_issuer.replace(TENANT, tenant))
}

/// `tid`, if it is a GUID: nothing else may become a part of an issuer.
fn tenant(claims: &Map<String, Value>) -> Option<&str> {
    claims
        .get("tid")
        .and_then(Value::as_str)
        .filter(|tenant| is_guid(tenant))
}

/// Whether a text is a GUID in the one spelling that Entra uses.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests;
