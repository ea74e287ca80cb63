//! What a kind of provider asks of its configuration.

use super::issuers::GITHUB;
use super::provider::has_no_keys;
use super::raw::RawProvider;
use super::read::OneOf;
use crate::http::Address;
use crate::identity::Dialect;
use crate::token::TypRule;

/// Reports what does not go with the dialect of a provider.
pub(super) fn check(raw: &RawProvider) {
    check_typ(raw);
    warn_of_strangers(raw);
    warn_of_another_dialect(raw);
}

/// Google's access tokens are no JWTs. That its ID tokens open doors has to be said.
fn check_typ(raw: &RawProvider) {
    let is_google = |dialect: &OneOf<Dialect>| dialect.0 == Dialect::Google;
    let takes_others = |typ: &OneOf<TypRule>| typ.0 != TypRule::IdToken;
    if raw.r#type.value.as_ref().is_some_and(is_google)
        && !has_no_keys(raw)
        && raw.typ.value.as_ref().is_some_and(takes_others)
    {
        let problem = "has to be id_token with google, whose access tokens are no JWTs";
        let hint = "write typ: id_token if its ID tokens are to open n8n";
        raw.typ.path.error(problem, hint);
    }
}

/// Google and GitHub make tokens for any audience, for whoever asks. GitHub's other issuers, which are
/// written out, are those of one enterprise or server.
fn warn_of_strangers(raw: &RawProvider) {
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
        let problem = "gives everybody in the world a token for any audience";
        let hint = "add clients, tenants, allowed_domains or claims";
        raw.r#type.path.warn(problem, hint);
    }
}

/// Read in another dialect, an application of Entra is a person, and an address that a tenant wrote
/// for itself may count.
fn warn_of_another_dialect(raw: &RawProvider) {
    const HOSTS: [&str; 2] = ["login.microsoftonline.com", "sts.windows.net"];
    let is_entras =
        |text: &str| Address::parse(text).is_ok_and(|address| HOSTS.contains(&address.authority));
    let mut issuers = raw.issuer.value.iter().flat_map(|issuers| &issuers.0);
    let is_another = |dialect: &OneOf<Dialect>| dialect.0 != Dialect::Entra;
    if raw.r#type.value.as_ref().is_some_and(is_another)
        && issuers.any(|issuer| is_entras(&issuer.value.text))
    {
        let problem = "is not entra, and the issuer is Entra's: its claims mean other things";
        raw.r#type.path.warn(problem, "write type: entra");
    }
}
