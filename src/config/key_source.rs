//! Where the keys of a provider come from.

use super::field::Field;
use super::field_path::FieldPath;
use super::issuers::Issuers;
use super::keys::InlineKeys;
use super::raw::RawProvider;
use super::syntax::Text;
use crate::crypto::KeySet;
use crate::http::Address;
use crate::policy::KeySource;

/// Where a provider publishes its metadata (OpenID Connect Discovery 1.0 §4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The only source of the keys: with two, the one that no person watches could be the one that counts.
/// `None`: something is wrong, and was reported.
pub(super) fn key_source(raw: &RawProvider, issuers: Option<&Issuers>) -> Option<KeySource> {
    if raw.jwks.given {
        return inline(raw);
    }
    if has_no_keys(raw) {
        return Some(KeySource::Inline(KeySet::default()));
    }
    let cluster = raw.cluster.value.as_ref();
    let cluster = cluster.map(|cluster| cluster.text.as_str());
    if raw.jwks_uri.given {
        let uri = address(issuers, &raw.jwks_uri)?;
        return Some(KeySource::Jwks(uri.endpoint(cluster?, "")));
    }
    let document = if raw.discovery_uri.given {
        address(issuers, &raw.discovery_uri)?.endpoint(cluster?, "")
    } else {
        let issuers = issuers?;
        let (text, path) = (&issuers.base, &issuers.list.first()?.1);
        // OpenID Connect Discovery 1.0 §4.1: a slash at the end goes before the path is added.
        let base = text.strip_suffix('/').unwrap_or(text);
        as_safe_as_the_issuer(Some(issuers), base, path)?.endpoint(cluster?, DISCOVERY)
    };
    let jwks_cluster = raw.jwks_cluster.value.as_ref();
    if raw.jwks_cluster.given && jwks_cluster.is_none() {
        return None;
    }
    Some(KeySource::Discovery {
        document,
        jwks_cluster: jwks_cluster.map(|cluster| cluster.text.clone()),
    })
}

/// Whether a provider is only asked about tokens: without keys, none of its JWTs is taken.
pub(super) fn has_no_keys(raw: &RawProvider) -> bool {
    let sources = [
        raw.cluster.given,
        raw.jwks_uri.given,
        raw.discovery_uri.given,
        raw.jwks_cluster.given,
        raw.jwks.given,
    ];
    (raw.introspection.given || raw.userinfo.given) && !sources.contains(&true)
}

fn inline(raw: &RawProvider) -> Option<KeySource> {
    const PROBLEM: &str = "has no effect beside jwks, which is never fetched";
    const HINT: &str = "remove it, or remove jwks to have the keys fetched";
    raw.cluster.warn_if_given(PROBLEM, HINT);
    raw.keys.warn_if_given(PROBLEM, HINT);
    let InlineKeys(keys) = raw.jwks.value.as_ref()?;
    Some(KeySource::Inline(keys.clone()))
}

/// The URL of a document. `None`: it is wrong, and was reported.
pub(super) fn address<'r, S>(
    issuers: Option<&Issuers>,
    field: &'r Field<Text<S>>,
) -> Option<Address<'r>> {
    let text = &field.value.as_ref()?.text;
    let address = as_safe_as_the_issuer(issuers, text, &field.path)?;
    warn_of_plaintext(text, &field.path);
    Some(address)
}

/// Keys that come over http prove nothing (RFC 8414 §2): an attacker on the network could replace
/// them. So they are refused if an issuer is https.
fn as_safe_as_the_issuer<'t>(
    issuers: Option<&Issuers>,
    text: &'t str,
    path: &FieldPath,
) -> Option<Address<'t>> {
    let address = Address::parse(text).ok()?;
    let mut issuers = issuers.iter().flat_map(|issuers| &issuers.list);
    if address.is_plaintext() && issuers.any(|(issuer, _)| issuer.starts_with("https:")) {
        let problem = "is http, and the issuer is https";
        path.error(problem, "write its https URL; RFC 8414 section 2");
        return None;
    }
    Some(address)
}

/// Warns of a URL whose content an attacker on the network can read and change.
pub(super) fn warn_of_plaintext(uri: &str, path: &FieldPath) {
    let plaintext = |address: Address<'_>| address.is_plaintext() && !address.is_loopback();
    if Address::parse(uri).is_ok_and(plaintext) {
        path.warn("is not https", "use https, except in a test");
    }
}
