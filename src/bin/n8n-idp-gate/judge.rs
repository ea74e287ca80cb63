//! A decision of the gate about one request, with files in place of what the filter fetches.

pub(crate) mod claims;
pub(crate) mod known;
mod verifier;

use std::path::Path;

use n8n_idp_gate::decide::{decide, Decision, DecisionContext, Request, TokenCache};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;

use crate::file::environment::ProcessEnvironment;
use crate::file::manifest::Manifest;
use claims::UnverifiedToken;
use known::Known;
pub(crate) use verifier::Verifier;

/// The policy of a file that is to be judged by. Identities keep all claims, which are shown.
pub(crate) fn policy(path: &Path, name: Option<&str>) -> Result<Policy, String> {
    let environment = ProcessEnvironment { is_required: false };
    let found = Manifest::one_configuration(path, name)?;
    let mut policy = found.load(&environment)?.policy;
    policy.instances.keep_claims();
    Ok(policy)
}

/// All that a decision depends on.
#[derive(Clone, Copy)]
pub(crate) struct Case<'c> {
    /// The policy. Its callers keep their claims, so that an explanation can show them.
    pub(crate) policy: &'c Policy,
    /// The head of the request.
    pub(crate) head: &'c RequestHead,
    /// Its body, if it is given.
    pub(crate) body: Option<&'c [u8]>,
    /// The time of the request.
    pub(crate) now: UnixMillis,
    /// What is known.
    pub(crate) known: &'c Known,
    /// The token that was made of claims, if there is one.
    pub(crate) unverified: Option<&'c UnverifiedToken>,
}

impl<'c> Case<'c> {
    /// Decides as the filter does.
    pub(crate) fn decide(&self) -> Decision {
        let context = DecisionContext {
            revocations: &n8n_idp_gate::decide::NoRevocations,
            nonces: None,
            is_recorded: true,
            policy: self.policy,
            facts: self.known,
            token_cache: &TokenCache::default(),
            crypto: &self.verifier(),
            now: self.now.to_seconds(),
        };
        decide(context, self.request())
    }

    /// The request.
    pub(crate) fn request(&self) -> Request<'c> {
        Request {
            body: self.body,
            ..Request::of_head(self.head)
        }
    }

    /// What checks signatures.
    pub(crate) fn verifier(&self) -> Verifier<'c> {
        Verifier {
            unverified: self.unverified.map(UnverifiedToken::signing_input),
        }
    }
}
