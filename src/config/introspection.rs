//! How the gate asks providers about tokens.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use super::choices::ClientAuth;
use super::environment::Environment;
use super::field::{Field, Reported};
use super::freshness::length;
use super::issuers::Issuers;
use super::key_source::address;
use super::raw::{RawIntrospection, RawProvider, RawUserInfo};
use super::syntax::Text;
use crate::formats::form;
use crate::http::Endpoint;
use crate::identity::Dialect;
use crate::policy::{Introspection, Protocol};
use crate::secret::Secret;

/// How the gate asks a provider about tokens, if it does.
pub(super) fn introspection(
    raw: &RawProvider,
    issuers: Option<&Issuers>,
    environment: &dyn Environment,
) -> Result<Option<Introspection>, Reported> {
    if !raw.introspection.given && !raw.userinfo.given {
        return Ok(None);
    }
    let asked = match (&raw.introspection.value, &raw.userinfo.value) {
        (Some(asked), _) => by_introspection(raw, asked, issuers, environment),
        (None, Some(asked)) => by_userinfo(raw, asked, issuers),
        (None, None) => None,
    };
    asked.map(Some).ok_or(Reported)
}

fn by_introspection(
    raw: &RawProvider,
    asked: &RawIntrospection,
    issuers: Option<&Issuers>,
    environment: &dyn Environment,
) -> Option<Introspection> {
    let secret = asked.client_secret.value.as_ref();
    let secret = secret.and_then(|name| name.look_up(environment, &asked.client_secret.path));
    let endpoint = endpoint(raw, &asked.uri, &asked.cluster, issuers);
    // RFC 6749 §2.3.1: both are encoded as in a form, in the header too.
    let id = form::encoded(&asked.client_id.value.as_ref()?.text);
    let secret = form::encoded(secret?.expose());
    let accept_untyped = asked.accept_untyped.value?;
    let protocol = match asked.auth.value.as_ref()?.0 {
        ClientAuth::Basic => {
            let pair = STANDARD.encode([&id, ":", &secret].concat());
            Protocol::Introspection {
                authorization: Some(Secret::new(["Basic ", &pair].concat())),
                form: None,
                accept_untyped,
            }
        }
        ClientAuth::Post => {
            let fields = ["&client_id=", &id, "&client_secret=", &secret].concat();
            Protocol::Introspection {
                authorization: None,
                form: Some(Secret::new(fields)),
                accept_untyped,
            }
        }
    };
    Some(Introspection {
        endpoint: endpoint?,
        protocol,
        always: asked.always.value?,
        token_prefixes: prefixes(raw)?,
        ttl: length(&asked.ttl)?,
        inactive_ttl: length(&asked.inactive_ttl)?,
        timeout: length(&asked.timeout)?,
    })
}

fn by_userinfo(
    raw: &RawProvider,
    asked: &RawUserInfo,
    issuers: Option<&Issuers>,
) -> Option<Introspection> {
    let endpoint = endpoint(raw, &asked.uri, &asked.cluster, issuers);
    let any_audience = &asked.accept_any_audience;
    let protocol = if raw.r#type.value.as_ref()?.0 == Dialect::Google {
        if any_audience.value == Some(true) {
            let problem = "has no effect here: tokeninfo names the audience, which is checked";
            any_audience.error(problem, "remove it");
        }
        Protocol::GoogleTokenInfo
    } else {
        if any_audience.value == Some(false) {
            let problem = "must be true: a userinfo response does not name the audience, so that \
                           the token of any application is good";
            let hint = "use introspection, with Google type: google, or write true to accept this";
            any_audience.error(problem, hint);
        }
        Protocol::UserInfo
    };
    Some(Introspection {
        endpoint: endpoint?,
        protocol,
        always: false,
        token_prefixes: prefixes(raw)?,
        ttl: length(&asked.ttl)?,
        inactive_ttl: length(&asked.inactive_ttl)?,
        timeout: length(&asked.timeout)?,
    })
}

fn endpoint<S, C>(
    raw: &RawProvider,
    uri: &Field<Text<S>>,
    cluster: &Field<Text<C>>,
    issuers: Option<&Issuers>,
) -> Option<Endpoint> {
    let address = address(issuers, uri);
    let name = if cluster.given {
        &cluster.value.as_ref()?.text
    } else if raw.cluster.given {
        &raw.cluster.value.as_ref()?.text
    } else {
        let hint = "name the Envoy cluster of the provider: URLs alone are never called";
        cluster.error("is required if the provider has no cluster", hint);
        return None;
    };
    Some(address?.endpoint(name, ""))
}

fn prefixes(raw: &RawProvider) -> Option<Vec<String>> {
    let prefixes = raw.token_prefix.value.as_ref();
    if raw.token_prefix.given && prefixes.is_none() {
        return None;
    }
    let texts = prefixes.into_iter().flat_map(|list| &list.0);
    Some(texts.map(|prefix| prefix.text.clone()).collect())
}

/// A token with the prefixes of two providers would be sent to both.
pub(super) fn report_overlaps(providers: &[RawProvider]) {
    let all = providers.iter().enumerate().flat_map(|(index, raw)| {
        let prefixes = raw.token_prefix.value.iter().flat_map(|list| &list.0);
        prefixes.map(move |prefix| (index, &prefix.text, &raw.token_prefix.path))
    });
    let all: Vec<_> = all.collect();
    for (index, text, path) in &all {
        let other = all.iter().find(|(other, begins, _)| {
            other < index
                && (text.starts_with(begins.as_str()) || begins.starts_with(text.as_str()))
        });
        if let Some((_, _, at)) = other {
            let problem = format!("is a prefix of the same tokens as one at {at}");
            path.error(problem, "give each provider prefixes of its own");
        }
    }
}

/// A provider that receives the token of another provider could use it.
pub(super) fn warn_of_several(providers: &[RawProvider]) {
    let asked = providers.iter().filter(|raw| {
        let is_asked = raw.introspection.given || raw.userinfo.given;
        is_asked && !raw.token_prefix.given
    });
    for raw in asked.skip(1) {
        raw.token_prefix.warn(
            "is absent here and at a provider above: opaque tokens of the one are sent to the other",
            "write what their tokens begin with, if it is known",
        );
    }
}
