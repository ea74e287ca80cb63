//! How access tokens differ from the other tokens that a provider signs with the same keys.

use super::{Binding, TokenFault, TokenRules, TypRule, UntrustedToken, CLIENT_CLAIMS};
use crate::formats::json::{Object, Value};

/// Refuses a token that is not an access token, as far as the token shows it (RFC 8725 §3.11, §3.12).
///
/// The first of these that says anything decides:
///
/// 1. `typ` of the header. `at+jwt` is an access token (RFC 9068 §2.1). Absent and `JWT` say
///    nothing; [`TypRule::AccessToken`] refuses them. Every other value is another kind: log-out
///    tokens (`logout+jwt`), security events (`secevent+jwt`), proofs of possession (`dpop+jwt`) …
/// 2. Claims by which providers mark kinds: Keycloak's `typ` (`Bearer`, against `ID`, `Refresh`,
///    `Offline`, `Logout` …; `DPoP` in tokens that are bound to a key), Cognito's `token_use` (`access`, against `id`), and `events`, which
///    makes a security event or log-out token (RFC 8417 §2.2, OpenID Connect Back-Channel
///    Logout 1.0 §2.4) whatever else is said.
/// 3. Where the first two say nothing: claims that OpenID Connect defines for ID tokens alone
///    (`nonce` §2, `at_hash` §3.1.3.6, `c_hash` §3.3.2.11 of Core 1.0, `s_hash` of FAPI 1.0).
///    Keycloak before version 25 put `nonce` into access tokens too; those are marked by 2.
/// 4. An OAuth client ([`TokenRules::client_claims`]): some providers name it in every access token,
///    and their ID tokens have it in `aud` alone.
/// 5. With other providers, the time at which a person logged in (`auth_time`) without anything
///    that access tokens have: `scope`, `jti`, a client that is not in `aud`. A `jti` counts for
///    nothing where `azp` is in `aud`: Spring Authorization Server writes one into ID tokens.
///
/// Under [`TypRule::IdToken`] the marks of an ID token are accepted and those of an access token are
/// not. Every other mark is of another kind.
///
/// An ID token without any mark is not found. Only its audience differs from that of an access token:
/// it is the id of the client. So `audiences` must name the API and never a client, and the
/// configuration does not let `audiences` be empty. The audit record has a hint for a token that looks
/// like one ([`AccessToken::hint`]).
pub(super) fn check(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
) -> Result<AccessToken, TokenFault> {
    let claims = token.claims();
    if claims.contains_key("events") {
        return Err(TokenFault::WrongType("events"));
    }
    let wants_id_token = rules.typ == TypRule::IdToken;
    let [typ, token_use] = if wants_id_token {
        ["ID", "id"]
    } else {
        ["Bearer", "access"]
    };
    let header = header_mark(token.typ(), rules.typ)?;
    let marks = [
        header,
        if !wants_id_token && is_dpop(claims, "typ")? {
            Mark::Wanted
        } else {
            claim_mark(claims, "typ", typ)?
        },
        claim_mark(claims, "token_use", token_use)?,
    ];
    let hint = if wants_id_token || marks.contains(&Mark::Wanted) {
        None
    } else {
        id_token_claim(claims)?;
        unmarked(claims, rules.client_claims)?
    };
    Ok(AccessToken {
        keeps_rfc_9068: header == Mark::Wanted,
        hint,
    })
}

/// A token that may be an access token.
pub(super) struct AccessToken {
    /// Its `typ` says that it keeps RFC 9068.
    pub(super) keeps_rfc_9068: bool,
    /// What may be wrong with it, for the audit record.
    pub(super) hint: Option<&'static str>,
}

fn id_token_claim(claims: Object<'_>) -> Result<(), TokenFault> {
    match ["nonce", "at_hash", "c_hash", "s_hash"]
        .into_iter()
        .find(|name| claims.contains_key(name))
    {
        Some(name) => Err(TokenFault::WrongType(name)),
        None => Ok(()),
    }
}

/// Refuses a token without marks that can only be an ID token. One that may be an ID token gets a
/// hint.
fn unmarked(
    claims: Object<'_>,
    client_claims: &[&'static str],
) -> Result<Option<&'static str>, TokenFault> {
    const LIKE_AN_ID_TOKEN: &str = "may be an ID token, as nothing in it is of an access token \
        alone: let the provider write typ at+jwt and set typ: at+jwt, and list no client in audiences";
    const OF_A_PERSON: [&str; 9] = [
        "acr",
        "amr",
        "auth_time",
        "azp",
        "email",
        "name",
        "nickname",
        "preferred_username",
        "sid",
    ];
    // ID tokens may have `azp` as well (OpenID Connect Core 1.0 §2).
    const CLIENTS_BESIDE_AZP: [&str; 3] = {
        let [_azp, client_id, cid, appid] = CLIENT_CLAIMS;
        [client_id, cid, appid]
    };
    let has = |names: &[&str]| names.iter().any(|name| claims.contains_key(name));
    if let Some(first) = client_claims.first() {
        return if has(client_claims) {
            Ok(None)
        } else {
            Err(TokenFault::WrongType(first))
        };
    }
    let is_audience = |client: Value<'_>| match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.contains(client),
        audience => audience == Some(client),
    };
    let is_for_client = claims.get("azp").map(is_audience);
    let is_for_others = is_for_client == Some(false);
    // Every ID token has an `aud` (OpenID Connect Core 1.0 §2).
    let is_access_token = is_for_others || !has(&["aud"]);
    if is_access_token || has(&["scope", "scp"]) || has(&CLIENTS_BESIDE_AZP) {
        return Ok(None);
    }
    if has(&["auth_time"]) && (is_for_client == Some(true) || !has(&["jti"])) {
        return Err(TokenFault::WrongType("auth_time"));
    }
    Ok(has(&OF_A_PERSON).then_some(LIKE_AN_ID_TOKEN))
}

/// Refuses a token that is not an access token by its introspection response.
///
/// `token_type` says how the token is used (RFC 7662 §2.2): one that is not sent as a bearer token must
/// be bound to a key of its client. Some providers write the kind there.
/// `token_use`, `typ` and the claims of ID tokens are read as in JWTs.
///
/// Refresh tokens are active, too, and the response about one may look like that about an access
/// token. So it must say which it is, unless the operator accepts it without.
pub(super) fn check_response(claims: Object<'_>, accept_untyped: bool) -> Result<(), TokenFault> {
    if claims.contains_key("events") {
        return Err(TokenFault::WrongType("events"));
    }
    let is_typed = check_use(claims)? == Mark::Wanted || accept_untyped;
    let marks = [
        if is_dpop(claims, "typ")? {
            Mark::Wanted
        } else {
            claim_mark(claims, "typ", "Bearer")?
        },
        claim_mark(claims, "token_use", "access")
            .or_else(|_| claim_mark(claims, "token_use", "access_token"))?,
    ];
    if marks.contains(&Mark::Wanted) {
        return Ok(());
    }
    if !is_typed {
        return Err(TokenFault::KindMissing);
    }
    id_token_claim(claims)
}

/// Refuses a token that is used neither as a bearer token nor with a proof that the gate checks, by its
/// introspection response.
pub(super) fn check_use(claims: Object<'_>) -> Result<Mark, TokenFault> {
    match claims.get("token_type") {
        None => Ok(Mark::None),
        Some(Value::String(kind)) => {
            let kind = kind.to_ascii_lowercase();
            match kind.rsplit(':').next().unwrap_or_default() {
                "bearer" | "access_token" => Ok(Mark::Wanted),
                "dpop" if is_dpop(claims, "token_type")? => Ok(Mark::Wanted),
                "dpop" | "pop" => Err(TokenFault::SenderConstrained),
                _ => Err(TokenFault::WrongType("token_type")),
            }
        }
        Some(_) => Err(TokenFault::ClaimOfWrongType("token_type")),
    }
}

/// Whether the claim `name` marks a token that is sent with `DPoP` proofs (RFC 9449 §5), and the token is
/// bound to the key of the proofs.
fn is_dpop(claims: Object<'_>, name: &str) -> Result<bool, TokenFault> {
    let mark = claims.get(name).and_then(Value::as_str);
    if !mark.is_some_and(|mark| mark.eq_ignore_ascii_case("DPoP")) {
        return Ok(false);
    }
    let binding = Binding::read(claims)?;
    Ok(binding.is_some_and(|binding| binding.key.is_some()))
}

/// What one claim says about the kind of a token that is not of another kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Wanted,
    None,
}

/// Whether `typ` is this media type: without regard to case, and `application/` may be left out
/// (RFC 7515 §4.1.9).
pub(super) fn is_media_type(typ: &str, kind: &str) -> bool {
    const TREE: &str = "application/";
    let short = match typ.split_at_checked(TREE.len()) {
        Some((tree, short)) if tree.eq_ignore_ascii_case(TREE) => short,
        _ => typ,
    };
    short.eq_ignore_ascii_case(kind)
}

fn header_mark(typ: Option<&str>, rule: TypRule) -> Result<Mark, TokenFault> {
    let is = |kind: &str| typ.is_some_and(|typ| is_media_type(typ, kind));
    match rule {
        TypRule::AccessToken | TypRule::AnyAccessToken if is("at+jwt") => Ok(Mark::Wanted),
        TypRule::AnyAccessToken | TypRule::IdToken if typ.is_none() || is("jwt") => Ok(Mark::None),
        _ => Err(TokenFault::WrongType("typ")),
    }
}

/// A claim that marks kinds: with the value `wanted`, or another kind.
fn claim_mark(claims: Object<'_>, name: &'static str, wanted: &str) -> Result<Mark, TokenFault> {
    match claims.get(name) {
        None => Ok(Mark::None),
        Some(Value::String(mark)) if mark.eq_ignore_ascii_case(wanted) => Ok(Mark::Wanted),
        Some(Value::String(_)) => Err(TokenFault::WrongType(name)),
        Some(_) => Err(TokenFault::ClaimOfWrongType(name)),
    }
}
