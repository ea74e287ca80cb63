//! What a refusal follows from: the policy, or something that no record holds.

use n8n_idp_gate::reply::Reason;
use n8n_idp_gate::token::{PossessionFault, ProofFault, TokenFault};

/// What a refusal follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// The policy, and what a record has.
    Policy,
    /// The credential as it was sent: it was not accepted.
    Credential,
    /// The status of the token at its provider.
    Status,
    /// The client of a good token: it does not have what the token is bound to.
    Possession,
    /// What comes after a policy has let a request through: its input, or n8n.
    Later,
    /// The signature of a delivery, or the certificate of a client.
    Sender,
    /// The form of a log-in, or an event of a provider.
    Form,
    /// An id that counts once.
    Once,
    /// A bound or a failure of the gate itself.
    Gate,
}

/// What a refusal follows from. Without a wildcard, so that a new reason finds its place here.
pub(crate) const fn nature(reason: &Reason) -> Nature {
    match reason {
        Reason::Path(_)
        | Reason::WebhookCase
        | Reason::HostMalformed
        | Reason::UnknownHost
        | Reason::NoCredential
        | Reason::DpopNotOffered
        | Reason::ApiKeyRefused
        | Reason::TokenAsApiKey
        | Reason::UnknownIssuer
        | Reason::TokenRevoked
        | Reason::GroupsLeftOut
        | Reason::NoPrincipal
        | Reason::NoUser
        | Reason::NoSession
        | Reason::EmbedDisabled
        | Reason::EmbedMethod
        | Reason::RestClosed(_)
        | Reason::InsufficientScope { .. }
        | Reason::UnknownOperation
        | Reason::WebhookDenied
        | Reason::WebhookNoRule
        | Reason::WebhookRequirement
        | Reason::MetricsDenied
        | Reason::OauthDenied
        | Reason::OutsidePathPrefix
        | Reason::MethodNotAllowed
        | Reason::RunNeedsUser
        | Reason::Possession(PossessionFault::ProofRequired)
        | Reason::NotAdmitted(_) => Nature::Policy,
        Reason::Token(TokenFault::Inactive | TokenFault::ResponseDisagrees(_))
        | Reason::IntrospectionUnavailable(_) => Nature::Status,
        Reason::Proof(ProofFault::Replayed) | Reason::DeliveryReplayed | Reason::EmbedReplayed => {
            Nature::Once
        }
        Reason::Token(TokenFault::SenderConstrained)
        | Reason::Possession(
            PossessionFault::CertificateMissing
            | PossessionFault::OtherCertificate
            | PossessionFault::NotBound
            | PossessionFault::ForwardedCertificateMalformed,
        )
        | Reason::Proof(_) => Nature::Possession,
        Reason::DuplicateApiKey
        | Reason::TwoCredentials
        | Reason::SeveralTokens
        | Reason::MalformedBrowserToken
        | Reason::CrossSite
        | Reason::KeysUnavailable(_)
        | Reason::KeysNotCurrent(_)
        | Reason::Bearer(_)
        | Reason::Token(_)
        | Reason::Identity(_) => Nature::Credential,
        Reason::UpstreamKeyRefused
        | Reason::UpstreamSessionRefused
        | Reason::UpstreamKeyUnavailable(_)
        | Reason::UpstreamSessionUnavailable(_)
        | Reason::InputMalformed(_)
        | Reason::WaitMalformed
        | Reason::WorkflowNotFound
        | Reason::WorkflowNotAccessible
        | Reason::NoTrigger { .. }
        | Reason::WorkflowNotRunnable
        | Reason::RunFailed => Nature::Later,
        Reason::CertificateRequired | Reason::CertificateNotAllowed | Reason::Signature(_) => {
            Nature::Sender
        }
        Reason::EventRefused(_)
        | Reason::EventMethod
        | Reason::EmbedRedirect
        | Reason::EmbedNoToken
        | Reason::EmbedLongLived
        | Reason::EmbedNoId => Nature::Form,
        Reason::RevocationNotShared
        | Reason::TooManyWaiting
        | Reason::TooManyRuns
        | Reason::BodyTooLarge
        | Reason::BodyTimeout
        | Reason::TooManyBodies
        | Reason::TooManyUsedIds
        | Reason::BodyUnavailable
        | Reason::ProxyFailure => Nature::Gate,
    }
}
