//! The token of a request: its provider, and each check.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::decide::{presented_token, CredentialKind, Decision, Outcome};
use n8n_idp_gate::facts::{Availability, Facts as _};
use n8n_idp_gate::policy::Provider;
use n8n_idp_gate::reply::Reason;
use n8n_idp_gate::time::{rfc3339, UnixMillis};
use n8n_idp_gate::token::{
    is_opaque, TokenCheck, TokenFault, TypRule, UntrustedToken, VerifiedToken,
};
use serde_json::{Map, Value};

use super::place::Place;
use super::step::{Mark, Step};
use crate::judge::Case;

const PROVIDER: &str = "provider";
const TOKEN: &str = "token";

/// The steps from the credential to the last check of the token.
pub(crate) fn steps(case: &Case<'_>, place: &Place<'_, '_>, decision: &Decision) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(kind) = decision.record.credential {
        let step = Step::new("credential", "credential", Mark::Read);
        steps.push(step.finding([kind.as_str()]));
    }
    let Some(instance) = place.instance else {
        return steps;
    };
    let token = presented_token(case.policy, instance, case.request());
    let Some(token) = token.filter(|_| has_token(decision)) else {
        return steps;
    };
    if decision_is(decision, &Reason::DpopNotOffered) {
        return steps;
    }
    let text = token.expose();
    match UntrustedToken::parse(text) {
        Ok(untrusted) => signed(case, &untrusted, text, &mut steps),
        Err(_) if is_opaque(text) => opaque(decision, &mut steps),
        Err(fault) => steps.push(Step::check(TOKEN, "form", Some(&Reason::Token(fault)))),
    }
    steps
}

fn has_token(decision: &Decision) -> bool {
    !matches!(
        decision.record.credential,
        None | Some(
            CredentialKind::ApiKey | CredentialKind::Signature | CredentialKind::Certificate
        )
    ) && !decision_is(decision, &Reason::CrossSite)
}

fn decision_is(decision: &Decision, reason: &Reason) -> bool {
    matches!(&decision.outcome, Outcome::Reject(own) if own == reason)
}

/// An opaque token: what its provider says about it decides.
fn opaque(decision: &Decision, steps: &mut Vec<Step>) {
    let step = Step::new(TOKEN, "form", Mark::Read);
    steps.push(step.saying("an opaque token: only its provider can read it"));
    if let Some(provider) = &decision.record.provider {
        let step = Step::new(PROVIDER, "provider", Mark::Read);
        let text = "its response about the token is read";
        steps.push(step.finding([provider]).saying(text));
    }
    if let Some(status) = decision.record.introspection {
        steps.push(Step::new(TOKEN, "status", Mark::Read).finding([status]));
    }
}

/// A JWT: the provider of its issuer, and every check.
fn signed(case: &Case<'_>, token: &UntrustedToken<'_>, text: &str, steps: &mut Vec<Step>) {
    let policy = case.policy;
    let id = policy.issuers.provider_of(token);
    let provider = id.and_then(|id| Some((id, policy.providers.get(id.0)?)));
    let issuer = token.claimed_issuer();
    let Some((id, provider)) = provider else {
        let known = policy.issuers.iter().map(|(issuer, _)| issuer);
        let step = Step::check(PROVIDER, "issuer", Some(&Reason::UnknownIssuer));
        let hint = policy.issuers.hint(issuer).unwrap_or_default();
        steps.push(step.comparing(known, [issuer]));
        if !hint.is_empty() {
            steps.push(Step::new(PROVIDER, "hint", Mark::Read).saying(hint));
        }
        return;
    };
    let found = Step::new(PROVIDER, "issuer", Mark::Passed).finding([issuer]);
    steps.push(found.saying(format!("of the provider {}", provider.name)));
    let keys = case.known.key_set(id);
    let known = match &keys {
        Availability::Known(keys) => Some(*keys),
        _ => None,
    };
    let (rules, now) = (&provider.token, case.now.to_seconds());
    let parts = Parts::of(text);
    for (check, result) in VerifiedToken::checks(token, rules, known, &case.verifier(), now) {
        steps.push(step_of(case, provider, token, &parts, check, result));
    }
    match keys {
        Availability::Known(_) => {}
        Availability::Pending => {
            let step = Step::new(TOKEN, "signature", Mark::Unknown);
            steps.push(step.saying("the keys of the provider are not given"));
        }
        Availability::Unavailable(outage) => {
            let reason = Reason::KeysUnavailable(outage);
            steps.push(Step::check(TOKEN, "signature", Some(&reason)));
        }
    }
}

/// Header and claims, to be shown.
#[derive(Default)]
struct Parts {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Parts {
    fn of(compact: &str) -> Self {
        let mut parts = compact.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        let mut next = || parts.next().flatten().unwrap_or_default();
        Self {
            header: next(),
            claims: next(),
        }
    }
}

fn step_of(
    case: &Case<'_>,
    provider: &Provider,
    token: &UntrustedToken<'_>,
    parts: &Parts,
    check: TokenCheck,
    result: Result<(), TokenFault>,
) -> Step {
    let reason = result.err().map(Reason::Token);
    let rules = &provider.token;
    let make = |name| Step::check(TOKEN, name, reason.as_ref());
    let texts = |value: Option<&Value>| -> Vec<String> {
        match value {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(text).collect(),
            Some(one) => vec![text(one)],
        }
    };
    match check {
        TokenCheck::Algorithm => {
            let expected = rules.algorithms.iter().map(|algorithm| algorithm.as_str());
            make("algorithm").comparing(expected, texts(parts.header.get("alg")))
        }
        TokenCheck::Kind => {
            let expected: &[&str] = match rules.typ {
                TypRule::AccessToken => &["typ at+jwt"],
                TypRule::AnyAccessToken => &["an access token: typ at+jwt, JWT or none"],
                TypRule::IdToken => &["an ID token: typ JWT or none"],
            };
            let typ = texts(parts.header.get("typ"));
            let typ = typ.into_iter().map(|typ| format!("typ {typ}"));
            let step = make("kind").comparing(expected, typ);
            match (
                reason.as_ref().and_then(Reason::fault),
                token_hint(provider, token, result),
            ) {
                (Some(member), hint) => {
                    let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                    step.saying(format!("the member {member} marks another kind{hint}"))
                }
                (None, _) => step,
            }
        }
        TokenCheck::Binding => {
            let is_bound = parts.claims.contains_key("cnf");
            let found = if is_bound {
                "bound by cnf"
            } else {
                "a bearer token"
            };
            make("binding").finding([found])
        }
        TokenCheck::Names => {
            let named = ["sub", "jti"].into_iter().filter_map(|name| {
                let value = parts.claims.get(name)?;
                Some(format!("{name} {}", text(value)))
            });
            make("subject and id").finding(named)
        }
        TokenCheck::Audience => {
            let step = make("audience").comparing(&rules.audiences, texts(parts.claims.get("aud")));
            match token_hint(provider, token, result) {
                Some(hint) => step.saying(hint),
                None => step,
            }
        }
        TokenCheck::Times => {
            let dates = ["iat", "nbf", "exp"].into_iter();
            let dates = dates.filter_map(|name| {
                let value = parts.claims.get(name)?;
                Some(format!("{name} {}", moment(value, case.now)))
            });
            let skew = rules.clock_skew.as_secs();
            let step = make("times").finding(dates);
            if reason.is_some() {
                let text = format!("{}; the clock may differ by {skew} s", step.text);
                return step.saying(text);
            }
            step
        }
        TokenCheck::Signature => {
            let kid = token.key_id().map(|kid| format!("key id {kid}"));
            if case.unverified.is_some() && reason.is_none() {
                return Step::new(TOKEN, "signature", Mark::Unknown)
                    .saying("NOT VERIFIED: the claims were given without a signature");
            }
            let step = make("signature").finding(kid);
            let keys = match case.known.key_set(
                case.policy
                    .issuers
                    .provider_of(token)
                    .unwrap_or(n8n_idp_gate::policy::ProviderId(usize::MAX)),
            ) {
                Availability::Known(keys) => keys.keys(),
                _ => &[],
            };
            let ids = keys.iter().filter_map(|key| key.key_id());
            let ids: Vec<_> = ids.map(|id| format!("key id {id}")).collect();
            let found = step.found.clone();
            step.comparing(ids, found)
        }
    }
}

/// The usual cause of a fault.
fn token_hint(
    provider: &Provider,
    token: &UntrustedToken<'_>,
    result: Result<(), TokenFault>,
) -> Option<&'static str> {
    let fault = result.err()?;
    token.misfit(fault, &provider.token)
}

/// A date of a claim, and how far it is away.
fn moment(value: &Value, now: UnixMillis) -> String {
    let Some(seconds) = value.as_u64() else {
        return text(value);
    };
    let at = rfc3339::write(UnixMillis(seconds.saturating_mul(1000)));
    let at = at.replace(".000Z", "Z");
    let now = now.to_seconds().0;
    match seconds.checked_sub(now) {
        Some(0) => format!("{at} (now)"),
        Some(left) => format!("{at} (in {})", length(left)),
        None => format!("{at} ({} ago)", length(now.saturating_sub(seconds))),
    }
}

/// A number of seconds in its two largest units.
fn length(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = left.checked_div(unit).unwrap_or_default();
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        }
        left = left.checked_rem(unit).unwrap_or_default();
    }
    parts.join(" ")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
