//! Log-ins of browsers that pages of other origins begin.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::authenticate::authenticate;
use super::caller::UpstreamKey;
use super::draft::{Draft, Stop};
use super::possession::{Scheme, Sender};
use super::public_api::scopes_to_ask_for;
use super::{
    cross_site, CredentialKind, DecisionContext, Evidence, IdDigest, Need, Outcome, Request,
    UseOnce,
};
use crate::facts::{Availability, Fact, LoginRequest};
use crate::formats::form;
use crate::n8n::EMBED_SCOPE;
use crate::policy::{DpopUse, Embed, Instance, N8nUser};
use crate::reply::{embed_reply, Reason};
use crate::token::{CompactToken, TokenFault, UntrustedToken};

/// The name of a log-in in the audit record.
const EVENT: &str = "embed_login";

/// The path of log-ins below the internal API, as n8n with a licence for them has it.
const PATH: &str = "/auth/embed";

/// How long a token for a log-in may live. It is in a URL, which a browser keeps in its history.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest form that is read.
const MAX_FORM: usize = 32 * 1024;

/// The longest path that a browser is sent to.
const MAX_REDIRECT: usize = 2048;

/// Whether a path of n8n is that of log-ins: Express compares it without regard to case.
pub(super) fn is_its_path(instance: &Instance, path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let own = ["/", &instance.endpoints().rest, PATH].concat();
    path.eq_ignore_ascii_case(own.as_bytes())
}

/// Decides about a log-in.
pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    embed: &Embed,
    request: Request<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    draft.record.operation = Some(EVENT);
    if !embed.enabled {
        return Err(Reason::EmbedDisabled.into());
    }
    if !matches!(request.head.method(), b"GET" | b"POST") {
        return Err(Reason::EmbedMethod.into());
    }
    if !cross_site::may_log_in(request.head, embed) {
        return Err(Reason::CrossSite.into());
    }
    let form = Parameters::of(request)?;
    let redirect = redirect(instance, form.value("redirectTo"))?;
    let token = form.value("token").filter(|token| !token.is_empty());
    let token = token.ok_or(Reason::EmbedNoToken)?;
    draft.record.credential = Some(CredentialKind::Bearer);
    let token = CompactToken::of(token.as_bytes()).ok_or(Reason::Token(TokenFault::NotAJws))?;
    let claimed = UntrustedToken::parse(token.expose()).map_err(Reason::Token)?;
    let sender = Sender {
        request,
        scheme: Scheme::Bearer,
        token: &token,
        // A browser that follows a link makes no proof.
        dpop: DpopUse::Accepted,
    };
    let evidence = authenticate(context, instance, &sender, draft)?;
    // No other request may have it.
    draft.remember = None;
    // The claims of these very bytes were verified.
    let once = one_time(context, instance, &claimed, &evidence)?;
    draft.use_once = Some(Box::new(once));
    let user = user(instance, &claimed, &evidence)?;
    let login = LoginRequest::new(instance.id, user, token.expose().as_bytes());
    match context.facts.browser_login(&login) {
        Availability::Known(cookie) => Ok(Outcome::Respond(embed_reply(&redirect, cookie))),
        Availability::Pending => Err(Need::Fact(Fact::BrowserLogin(Arc::new(login))).into()),
        Availability::Unavailable(outage) => Err(Reason::UpstreamSessionUnavailable(outage).into()),
    }
}

/// The parameters of a log-in: those of the query, and of a form without them.
struct Parameters<'r> {
    query: &'r [u8],
    form: &'r [u8],
}

impl<'r> Parameters<'r> {
    fn of(request: Request<'r>) -> Result<Self, Need> {
        let head = request.head;
        let query = head.query();
        let is_in_query = form::value(query, "token").is_some();
        let form = if head.method() == b"POST" && !is_in_query {
            request.body(MAX_FORM)?
        } else {
            &[]
        };
        Ok(Self { query, form })
    }

    fn value(&self, name: &str) -> Option<String> {
        form::value(self.query, name).or_else(|| form::value(self.form, name))
    }
}

/// The path that the browser is sent to: one of this n8n. A token in a link must not make the gate send
/// its holder to another site.
fn redirect(instance: &Instance, wanted: Option<String>) -> Result<Cow<'static, str>, Reason> {
    let prefix = instance.path_prefix();
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(format!("{prefix}/").into());
    };
    // Browsers read a backslash as a slash, and leave tabs and line breaks out. Two slashes begin a host.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let end = wanted.find(['?', '#']).unwrap_or(wanted.len());
    let path = wanted.get(..end).unwrap_or_default();
    let below = path.strip_prefix(prefix).unwrap_or_default();
    // A dot segment would lead out of the prefix.
    let is_dot = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(&*segment, "." | "..")
    };
    let is_ours = wanted.len() <= MAX_REDIRECT
        && wanted.bytes().all(is_plain)
        && below.starts_with('/')
        && !path.starts_with("//")
        && !below.starts_with("//")
        && !below.split('/').any(is_dot);
    is_ours.then(|| wanted.into()).ok_or(Reason::EmbedRedirect)
}

/// What makes a token count once. It must live for a short time, so that it can be remembered until its
/// end.
fn one_time(
    context: DecisionContext<'_>,
    instance: &Instance,
    claimed: &UntrustedToken<'_>,
    evidence: &Evidence,
) -> Result<UseOnce, Reason> {
    let caller = evidence.caller();
    let issued = claimed.claimed_issue();
    let expires = claimed.claimed_expiry();
    let (issued, expires) = issued.zip(expires).ok_or(Reason::EmbedLongLived)?;
    if expires.0.saturating_sub(issued.0) > LONGEST.as_secs() {
        return Err(Reason::EmbedLongLived);
    }
    let id = claimed.claimed_id().filter(|id| !id.is_empty());
    let id = id.ok_or(Reason::EmbedNoId)?;
    let provider = context.policy.providers.get(caller.provider.0);
    let skew = provider.map(|provider| provider.token.clock_skew);
    let until = expires.saturating_add(skew.unwrap_or_default());
    let name = instance.name.as_deref().unwrap_or_default();
    let parts = [
        b"embed",
        name.as_bytes(),
        caller.identity.issuer.as_bytes(),
        id.as_bytes(),
    ];
    Ok(UseOnce {
        digest: IdDigest::of(&parts),
        until,
        replayed: Reason::EmbedReplayed,
        free_after_failure: false,
    })
}

/// The user of the caller, with the name that its token has.
fn user(
    instance: &Instance,
    claimed: &UntrustedToken<'_>,
    evidence: &Evidence,
) -> Result<N8nUser, Reason> {
    let principal = evidence.caller().principal()?;
    if !principal.granted.contains(EMBED_SCOPE) {
        let missing = vec![EMBED_SCOPE];
        let ask_for = scopes_to_ask_for(instance, principal, &missing);
        return Err(Reason::InsufficientScope { missing, ask_for });
    }
    let user = match &principal.upstream {
        UpstreamKey::Minted(request) => request.user().clone(),
        UpstreamKey::Static(_) => return Err(Reason::NoSession),
        UpstreamKey::NoUser => return Err(Reason::NoUser),
    };
    let name = |claim| claimed.claimed_text(claim).unwrap_or_default();
    Ok(user.named(name("given_name"), name("family_name")))
}
