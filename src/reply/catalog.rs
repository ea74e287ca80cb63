//! One example of every reason, for the documentation and for tests.

use std::time::Duration;

use super::Reason;
use crate::facts::Outage;
use crate::identity::IdentityFault;
use crate::n8n::PathFault;
use crate::policy::NotAdmitted;
use crate::token::{BearerFault, TokenFault};

impl Reason {
    /// One example of every reason, in the order of the documentation.
    pub fn examples() -> Vec<Self> {
        let mut reasons = vec![
            Self::Path(PathFault::DotSegment),
            Self::WebhookCase,
            Self::HostMalformed,
            Self::UnknownHost,
            Self::Bearer(BearerFault::Duplicated),
            Self::Bearer(BearerFault::Malformed),
            Self::DuplicateApiKey,
            Self::TwoCredentials,
            Self::NoCredential,
            Self::ApiKeyRefused,
            Self::TokenAsApiKey,
            Self::UnknownIssuer,
        ];
        reasons.extend(TOKEN_FAULTS.map(Self::Token));
        reasons.extend([
            Self::Identity(IdentityFault::NotText { claim: "azp" }),
            Self::Identity(IdentityFault::ClientsDisagree),
            Self::Identity(IdentityFault::NamespacesDisagree),
            Self::Identity(IdentityFault::SubjectMissing),
            Self::NotAdmitted(NotAdmitted::Client),
            Self::NotAdmitted(NotAdmitted::Tenant),
            Self::NotAdmitted(NotAdmitted::Domain),
            Self::NotAdmitted(NotAdmitted::Claim("repository".to_owned())),
            Self::GroupsLeftOut,
            Self::NoPrincipal,
            Self::InsufficientScope {
                missing: vec!["workflow:create"],
                ask_for: vec!["N8N.Workflow.Write".to_owned()],
            },
            Self::UnknownOperation,
            Self::WebhookDenied,
            Self::WebhookNoRule,
            Self::WebhookRequirement,
            Self::MetricsDenied,
            Self::OauthDenied,
            Self::OutsidePathPrefix,
            Self::MethodNotAllowed,
            Self::KeysUnavailable(Outage {
                retry_after: Duration::from_secs(4),
                fault: None,
            }),
            Self::KeysNotCurrent(Duration::from_secs(3)),
            Self::IntrospectionUnavailable(Outage {
                retry_after: Duration::from_secs(2),
                fault: None,
            }),
            Self::TooManyWaiting,
            Self::UpstreamKeyRefused,
            Self::ProxyFailure,
        ]);
        reasons
    }
}

const TOKEN_FAULTS: [TokenFault; 26] = [
    TokenFault::TooLong,
    TokenFault::NotAJws,
    TokenFault::Encrypted,
    TokenFault::HeaderMalformed,
    TokenFault::CriticalHeader,
    TokenFault::ClaimsMalformed,
    TokenFault::ClaimOfWrongType("exp"),
    TokenFault::IssuerMissing,
    TokenFault::AlgorithmNotAllowed(None),
    TokenFault::WrongType("typ"),
    TokenFault::KindMissing,
    TokenFault::SenderConstrained,
    TokenFault::AudienceMissing,
    TokenFault::WrongAudience,
    TokenFault::ExpiryMissing,
    TokenFault::Expired,
    TokenFault::NotYetValid,
    TokenFault::IssuedInTheFuture,
    TokenFault::IssuedAfterExpiry,
    TokenFault::UnknownKeyId(None),
    TokenFault::RevokedKey,
    TokenFault::NoKeyFits,
    TokenFault::KeyOfAnotherIssuer,
    TokenFault::BadSignature,
    TokenFault::Inactive,
    TokenFault::AnswerDisagrees("iss"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Breaks when a variant is added, to say that [`Reason::examples`] needs it too; returns how
    /// many codes there are.
    const fn codes(reason: &Reason) -> usize {
        match reason {
            Reason::Token(fault) => match fault {
                TokenFault::TooLong
                | TokenFault::NotAJws
                | TokenFault::Encrypted
                | TokenFault::HeaderMalformed
                | TokenFault::CriticalHeader
                | TokenFault::ClaimsMalformed
                | TokenFault::ClaimOfWrongType(_)
                | TokenFault::IssuerMissing
                | TokenFault::AlgorithmNotAllowed(_)
                | TokenFault::WrongType(_)
                | TokenFault::KindMissing
                | TokenFault::SenderConstrained
                | TokenFault::AudienceMissing
                | TokenFault::WrongAudience
                | TokenFault::ExpiryMissing
                | TokenFault::Expired
                | TokenFault::NotYetValid
                | TokenFault::IssuedInTheFuture
                | TokenFault::IssuedAfterExpiry
                | TokenFault::UnknownKeyId(_)
                | TokenFault::RevokedKey
                | TokenFault::NoKeyFits
                | TokenFault::KeyOfAnotherIssuer
                | TokenFault::BadSignature
                | TokenFault::Inactive
                | TokenFault::AnswerDisagrees(_) => 63,
            },
            Reason::Path(_)
            | Reason::WebhookCase
            | Reason::HostMalformed
            | Reason::UnknownHost
            | Reason::Bearer(BearerFault::Duplicated | BearerFault::Malformed)
            | Reason::DuplicateApiKey
            | Reason::TwoCredentials
            | Reason::NoCredential
            | Reason::ApiKeyRefused
            | Reason::TokenAsApiKey
            | Reason::UnknownIssuer
            | Reason::Identity(
                IdentityFault::NotText { .. }
                | IdentityFault::ClientsDisagree
                | IdentityFault::NamespacesDisagree
                | IdentityFault::SubjectMissing,
            )
            | Reason::NotAdmitted(
                NotAdmitted::Client
                | NotAdmitted::Tenant
                | NotAdmitted::Domain
                | NotAdmitted::Claim(_),
            )
            | Reason::GroupsLeftOut
            | Reason::NoPrincipal
            | Reason::InsufficientScope { .. }
            | Reason::UnknownOperation
            | Reason::WebhookDenied
            | Reason::WebhookNoRule
            | Reason::WebhookRequirement
            | Reason::MetricsDenied
            | Reason::OauthDenied
            | Reason::OutsidePathPrefix
            | Reason::MethodNotAllowed
            | Reason::KeysUnavailable(_)
            | Reason::KeysNotCurrent(_)
            | Reason::IntrospectionUnavailable(_)
            | Reason::TooManyWaiting
            | Reason::UpstreamKeyRefused
            | Reason::ProxyFailure => 63,
        }
    }

    #[test]
    fn every_reason_has_an_example_and_a_code_of_its_own() {
        let examples = Reason::examples();
        let distinct: BTreeSet<_> = examples.iter().map(Reason::as_str).collect();
        assert_eq!(distinct.len(), examples.len());
        assert_eq!(examples.len(), codes(&Reason::NoCredential));
    }

    #[test]
    fn codes_are_words_that_metrics_and_headers_can_hold() {
        for reason in Reason::examples() {
            let code = reason.as_str();
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(code.bytes().all(plain), "{code}");
        }
    }
}
