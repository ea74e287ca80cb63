//! What a type of provider demands of its configuration.

use super::issuers::GITHUB;
use super::key_source::has_no_keys;
use super::raw::RawProvider;
use super::read::OneOf;
use crate::http::Address;
use crate::identity::Dialect;
use crate::token::TypRule;

/// Reports what does not go with the dialect of a provider.
pub(super) fn check(raw: &RawProvider) {
    check_typ(raw);
    warn_of_an_open_provider(raw);
    warn_of_another_dialect(raw);
}

/// Google's access tokens are no JWTs, so that its ID tokens would be taken. The operator has to
/// write that.
fn check_typ(raw: &RawProvider) {
    let is_google = |dialect: &OneOf<Dialect>| dialect.0 == Dialect::Google;
    let takes_others = |typ: &OneOf<TypRule>| typ.0 != TypRule::IdToken;
    if raw.r#type.value.as_ref().is_some_and(is_google)
        && !has_no_keys(raw)
        && raw.typ.value.as_ref().is_some_and(takes_others)
    {
        let problem = "must be id_token with google, whose access tokens are no JWTs";
        let hint = "write typ: id_token if callers are meant to use its ID tokens";
        raw.typ.error(problem, hint);
    }
}

/// Google and GitHub give every person tokens for any audience. GitHub's other issuers, which need
/// `issuer`, are those of one enterprise or server.
fn warn_of_an_open_provider(raw: &RawProvider) {
    let mut issuers = raw.issuer.value.iter().flat_map(|issuers| &issuers.0);
    let is_github = !raw.issuer.given || issuers.any(|issuer| issuer.value.text == GITHUB);
    let is_open = |dialect: &OneOf<Dialect>| match dialect.0 {
        Dialect::Google => true,
        Dialect::GithubActions => is_github,
        _ => false,
    };
    let lists = [
        raw.clients.given,
        raw.tenants.given,
        raw.allowed_domains.given,
        raw.claims.given,
    ];
    if raw.r#type.value.as_ref().is_some_and(is_open) && !lists.contains(&true) {
        let problem = "gives every person in the world a token for any audience";
        let hint = "add clients, tenants, allowed_domains or claims";
        raw.r#type.warn(problem, hint);
    }
}

/// Read in another dialect, an application of Entra is a person, and an e-mail address that a tenant
/// wrote itself may count.
fn warn_of_another_dialect(raw: &RawProvider) {
    const HOSTS: [&str; 2] = ["login.microsoftonline.com", "sts.windows.net"];
    let is_entras =
        |text: &str| Address::parse(text).is_ok_and(|address| HOSTS.contains(&address.authority));
    let mut issuers = raw.issuer.value.iter().flat_map(|issuers| &issuers.0);
    let is_another = |dialect: &OneOf<Dialect>| dialect.0 != Dialect::Entra;
    if raw.r#type.value.as_ref().is_some_and(is_another)
        && issuers.any(|issuer| is_entras(&issuer.value.text))
    {
        let problem = "is not entra, and the issuer is Entra's: its claims have other meanings";
        raw.r#type.warn(problem, "write type: entra");
    }
}
