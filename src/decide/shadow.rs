//! What a second policy would decide about a request that was decided.

use super::{
    decide, Caller, Comparison, Decision, DecisionContext, OtherDecision, Outcome, Request,
    TokenCache, UpstreamCredential,
};
use crate::crypto::KeySet;
use crate::facts::{
    Availability, Facts, KeyIdDigest, LoginRequest, MintRequest, NewerKeys, TokenStatus,
};
use crate::policy::{ProviderId, Shadow};
use crate::reply::Reason;
use crate::secret::Secret;
use crate::token::TokenDigest;

/// Judges requests by a second policy. What it remembers of tokens is its own.
#[derive(Default)]
pub struct Judge {
    token_cache: TokenCache<Caller>,
}

impl Judge {
    /// Compares what was decided in this context with what a second policy would decide. `None`: nothing was
    /// decided yet, or the n8n has no second policy.
    pub fn compare(
        &mut self,
        shadow: &Shadow,
        context: DecisionContext<'_>,
        request: Request<'_>,
        decided: &Decision,
    ) -> Option<Comparison> {
        let instance = context.policy.instances.of(request.head)?;
        if !instance.has_shadow || matches!(decided.outcome, Outcome::Await(_)) {
            return None;
        }
        let facts = WithoutFetching {
            known: context.facts,
            made: Secret::new(String::new()),
        };
        let second = DecisionContext {
            policy: shadow.policy(),
            facts: &facts,
            token_cache: &self.token_cache,
            ..context
        };
        let mut judged = decide(second, request);
        if let Some(remember) = judged.remember.take() {
            self.token_cache.apply(remember);
        }
        Some(Comparison::of(decided, &judged))
    }
}

impl Comparison {
    /// What the second decision would be, beside what was decided.
    pub fn of(decided: &Decision, judged: &Decision) -> Self {
        if matches!(judged.outcome, Outcome::Await(_)) {
            return Self::Unknown;
        }
        let is_same_credential = is_same_credential(&decided.outcome, &judged.outcome);
        let after = OtherDecision::of(judged);
        after.beside(&OtherDecision::of(decided), is_same_credential)
    }
}

impl OtherDecision {
    /// A decision as one that is compared.
    pub fn of(decision: &Decision) -> Self {
        let (name, reason) = match &decision.outcome {
            Outcome::Reject(reason) => ("reject", Some(reason)),
            // The gate would respond after it.
            Outcome::Job(_) => ("respond", None),
            outcome => (outcome.as_str(), None),
        };
        Self {
            decision: name,
            reason: reason.map(Reason::as_str),
            principal: decision.record.principal.clone(),
            missing: reason.map_or_else(Vec::new, |reason| reason.missing_scopes().to_vec()),
            differs: Vec::new(),
        }
    }

    /// Compares it with the one before.
    pub fn beside(mut self, before: &Self, is_same_credential: bool) -> Comparison {
        let differences = [
            ("decision", before.decision != self.decision),
            ("reason", before.reason != self.reason),
            ("principal", before.principal != self.principal),
            ("missing", before.missing != self.missing),
            ("credential", !is_same_credential),
        ];
        for (name, differs) in differences {
            if differs {
                self.differs.push(name);
            }
        }
        if self.differs.is_empty() {
            Comparison::Same
        } else {
            Comparison::Different(Box::new(self))
        }
    }
}

/// Whether n8n would get the same upstream credential, or none twice. Outcomes of two kinds differ anyway.
fn is_same_credential(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Forward(one), Outcome::Forward(other)) => {
            match (one.credential(), other.credential()) {
                (None, None) => true,
                (
                    Some(UpstreamCredential::StaticKey(one)),
                    Some(UpstreamCredential::StaticKey(other)),
                ) => one == other,
                // What the gate makes exists for one of the two perhaps: what it is made for counts.
                (
                    Some(UpstreamCredential::MintedKey(one, _)),
                    Some(UpstreamCredential::MintedKey(other, _)),
                )
                | (
                    Some(UpstreamCredential::Session(one, _)),
                    Some(UpstreamCredential::Session(other, _)),
                ) => is_same_user(one, other),
                _ => false,
            }
        }
        (Outcome::Job(one), Outcome::Job(other)) => {
            let users = (one.session(), other.session());
            match users {
                (Some((one, _)), Some((other, _))) => is_same_user(one, other),
                (one, other) => one.is_none() && other.is_none(),
            }
        }
        _ => true,
    }
}

/// Whether the gate would act as the same user.
fn is_same_user(one: &MintRequest, other: &MintRequest) -> bool {
    (one.instance(), one.email()) == (other.instance(), other.email())
}

/// The facts, with every key and session there that the gate would make: a second decision asks for nothing.
struct WithoutFetching<'f> {
    known: &'f dyn Facts,
    made: Secret,
}

impl WithoutFetching<'_> {
    fn or_made<'s>(&'s self, found: Availability<&'s Secret>) -> Availability<&'s Secret> {
        match found {
            Availability::Pending => Availability::Known(&self.made),
            found => found,
        }
    }
}

impl Facts for WithoutFetching<'_> {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        self.known.key_set(provider)
    }

    fn newer_keys(&self, provider: ProviderId, key_id: KeyIdDigest) -> NewerKeys {
        self.known.newer_keys(provider, key_id)
    }

    fn may_have_changed(&self, provider: ProviderId, token: &dyn Fn() -> KeyIdDigest) -> bool {
        self.known.may_have_changed(provider, token)
    }

    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus> {
        self.known.token_status_to_decide(provider, token)
    }

    fn token_status_to_confirm(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus> {
        self.known.token_status_to_confirm(provider, token)
    }

    fn minted_key(&self, request: &MintRequest) -> Availability<&Secret> {
        self.or_made(self.known.minted_key(request))
    }

    fn session(&self, request: &MintRequest) -> Availability<&Secret> {
        self.or_made(self.known.session(request))
    }

    fn browser_login(&self, request: &LoginRequest) -> Availability<&Secret> {
        self.or_made(self.known.browser_login(request))
    }

    fn token_endpoint(&self, provider: ProviderId) -> Option<&str> {
        self.known.token_endpoint(provider)
    }

    fn is_refused(&self, key: &Secret) -> bool {
        self.known.is_refused(key)
    }
}
