//! Every check of a signed token by itself, for explanations.

use super::signed::{allowed_algorithm, check_signature};
use super::{check_audience, VerifiedToken};
use crate::crypto::{KeySet, SignatureVerifier};
use crate::time::UnixSeconds;
use crate::token::claims::text;
use crate::token::times::Times;
use crate::token::{kind, Binding, TokenFault, TokenRules, UntrustedToken};

/// A check of a signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// `alg` is one of the provider's.
    Algorithm,
    /// It is an access token, as far as it shows it.
    Kind,
    /// `cnf`, if it is there, can be read.
    Binding,
    /// `sub` and `jti`, if they are there, are text.
    Names,
    /// `aud` names an audience of the provider.
    Audience,
    /// `exp`, `nbf` and `iat`.
    Times,
    /// The key is known, and the signature is good under it.
    Signature,
}

impl VerifiedToken {
    /// The result of each check of [`VerifiedToken::verify`], in its order. That stops at the first fault.
    /// Here each check says its own. Without keys, or with an algorithm that is not allowed, the signature
    /// is not checked.
    pub fn checks(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        keys: Option<&KeySet>,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Vec<(TokenCheck, Result<(), TokenFault>)> {
        let claims = token.claims();
        let algorithm = allowed_algorithm(token, rules);
        let names = || {
            for name in ["sub", "jti"] {
                text(claims, name)?;
            }
            Ok(())
        };
        let times = Times::read(claims).and_then(|times| times.check(rules.clock_skew, now));
        let mut checks = vec![
            (TokenCheck::Algorithm, algorithm.map(|_| ())),
            (TokenCheck::Kind, kind::check(token, rules).map(|_| ())),
            (TokenCheck::Binding, Binding::read(claims).map(|_| ())),
            (TokenCheck::Names, names()),
            (TokenCheck::Audience, check_audience(claims, rules)),
            (TokenCheck::Times, times),
        ];
        if let (Ok(algorithm), Some(keys)) = (algorithm, keys) {
            let checked = check_signature(token, algorithm, rules, keys, crypto);
            checks.push((TokenCheck::Signature, checked.map(|_| ())));
        }
        checks
    }
}
