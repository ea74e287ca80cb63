//! Tokens that their provider calls active: opaque ones, and signed ones with introspection.

use std::sync::Arc;

use super::{check_audience, Confirmation, VerifiedToken};
use crate::formats::json::{Document, Object, Value};
use crate::time::UnixSeconds;
use crate::token::claims::{text, CLIENT_CLAIMS};
use crate::token::numeric_date::numeric_date;
use crate::token::times::Times;
use crate::token::{
    kind, ActiveResponse, Binding, CompactToken, ResponseKind, TokenFault, TokenRules, TENANT,
};

impl VerifiedToken {
    /// Verifies an opaque token by the introspection response of its provider.
    ///
    /// The response passes the same checks as the claims of a JWT. Without `iss`, the issuer is the
    /// provider that was asked. Without `exp`, the response counts as long as it is cached.
    pub fn introspected(
        token: &CompactToken<'_>,
        response: &ActiveResponse,
        kind: ResponseKind,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let claims = response.claims().object();
        let is_userinfo = kind == ResponseKind::UserInfo;
        if let ResponseKind::Introspection { accept_untyped } = kind {
            kind::check_response(claims, accept_untyped)?;
        }
        let binding = Binding::read(claims)?;
        // Userinfo is about a person, and does not say to what a token is bound.
        if is_userinfo && binding.is_some() {
            return Err(TokenFault::SenderConstrained);
        }
        for name in ["sub", "jti"] {
            text(claims, name)?;
        }
        let issuer = match text(claims, "iss")? {
            Some(issuer) if rules.issuers.contains(issuer) => issuer,
            Some(_) => return Err(TokenFault::ResponseDisagrees("iss")),
            None if rules.issuers.discovery.contains(TENANT) => {
                return Err(TokenFault::IssuerMissing);
            }
            None => &rules.issuers.discovery,
        };
        // With userinfo, the configuration accepts any audience explicitly. An `aud` in the response,
        // as Ory Hydra writes it, is that of ID tokens: the client that the person logged in to.
        if !is_userinfo {
            check_audience(claims, rules)?;
        }
        if kind == ResponseKind::GoogleTokenInfo && !claims.contains_key("exp") {
            return Err(TokenFault::ExpiryMissing);
        }
        let status_term = status_term(response, now)?;
        let times = Times::of_response(claims, status_term.1)?;
        times.check(rules.clock_skew, now)?;
        Ok(Self {
            response_kind: Some(kind),
            issuer: issuer.into(),
            claims: if is_userinfo {
                without_claims_about_tokens(Arc::clone(response.claims()))
            } else {
                Arc::clone(response.claims())
            },
            id_shows_token: id_shows_token(claims, token),
            binding,
            times,
            clock_skew: rules.clock_skew,
            signature: None,
            status_term: Some(status_term),
            confirmation: None,
            keeps_rfc_9068: false,
            hint: None,
        })
    }

    /// Adds the token status "active" to a signed token, which is then good no longer than the status
    /// counts. Claims that the response repeats must be those of the token.
    pub fn confirmed(
        mut self,
        response: &ActiveResponse,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let status = response.claims().object();
        // An ID token may be active, too. A token that may be one needs a response that says that it
        // is an access token.
        if self.hint.take().is_some() {
            kind::check_response(status, false)?;
        } else {
            kind::check_use(status)?;
        }
        // The provider may say later than in the token to what it is bound, and never anything else.
        match (self.binding, Binding::read(status)?) {
            (_, None) => {}
            (None, binding) => self.binding = binding,
            (own, binding) if own == binding => {}
            _ => return Err(TokenFault::ResponseDisagrees("cnf")),
        }
        if status.contains_key("aud") {
            check_audience(status, rules)?;
        }
        for name in ["iss", "sub", "jti"] {
            let both = self.claims.get(name).zip(status.get(name));
            if both.is_some_and(|(own, other)| own != other) {
                return Err(TokenFault::ResponseDisagrees(name));
            }
        }
        // The response names the client of a token that names none. It never overrides the token.
        let client = text(status, "client_id")?;
        for name in CLIENT_CLAIMS {
            let own = self.claims.get(name);
            if own.zip(client).is_some_and(|(own, client)| own != client) {
                return Err(TokenFault::ResponseDisagrees("client_id"));
            }
        }
        self.confirmation = Some(Arc::new(Confirmation {
            client: client
                .filter(|client| !client.is_empty())
                .map(str::to_owned),
            has_owner: status.contains_key("username"),
        }));
        let status_term = status_term(response, now)?;
        Times::of_response(status, status_term.1)?.check(rules.clock_skew, now)?;
        self.status_term = Some(status_term);
        Ok(self)
    }
}

/// Whether `jti` shows the token, or a part of it: some providers write the opaque token itself there.
fn id_shows_token(claims: Object<'_>, token: &CompactToken<'_>) -> bool {
    let id = claims.get("jti").and_then(Value::as_str);
    let token = token.expose();
    id.is_some_and(|id| token.contains(id) || id.contains(token))
}

/// Removes claims about a token from a userinfo response, which is about a person: there, claims with
/// the names of client, scopes and grant are parts of the person's profile.
fn without_claims_about_tokens(mut claims: Arc<Document>) -> Arc<Document> {
    Arc::make_mut(&mut claims).remove(&[
        "azp",
        "client_id",
        "cid",
        "appid",
        "scope",
        "scp",
        "permissions",
        "gty",
        "idtyp",
    ]);
    claims
}

/// From when to when a token status counts: no longer than its own `exp`, to the second, because the
/// provider knows its own clock.
fn status_term(
    response: &ActiveResponse,
    now: UnixSeconds,
) -> Result<(UnixSeconds, UnixSeconds), TokenFault> {
    let term = response.term();
    let (since, mut until) = (term.since.to_seconds(), term.until.to_seconds());
    if let Some(expires) = numeric_date(response.claims().object(), "exp")? {
        if now >= expires {
            return Err(TokenFault::Expired);
        }
        until = until.min(expires);
    }
    Ok((since, until))
}
