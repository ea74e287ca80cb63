//! The dialects: where each vendor puts its claims, in one file each.

mod auth0;
mod authentik;
mod entra;
mod github_actions;
mod google;
mod keycloak;
mod kubernetes;
mod oidc;
mod okta;
mod ping;
mod reading;
mod relocated;
mod workos;

use super::claim_source::ClaimSource;
use super::values::{names, once_each, whole_names};
use super::{ClaimsAt, Dialect, IdentityFault};
use crate::token::text;
use reading::{has_session, ClaimNames};

pub(super) use ping::is_ping_one;
pub(super) use reading::Reading;

impl Dialect {
    pub(super) fn read(
        self,
        source: ClaimSource<'_>,
        at: &ClaimsAt,
    ) -> Result<Reading, IdentityFault> {
        let mut reading = self.names().read(source, at)?;
        let claims = source.claims.object();
        match self {
            Self::Oidc => oidc::refine(&mut reading, source)?,
            Self::Entra => entra::refine(&mut reading, claims)?,
            Self::Okta => okta::refine(&mut reading, claims)?,
            Self::Auth0 => auth0::refine(&mut reading, claims)?,
            Self::Keycloak => keycloak::refine(&mut reading, claims)?,
            Self::Google => google::refine(&mut reading, claims)?,
            Self::Ping => ping::refine(&mut reading, claims)?,
            Self::Workos => workos::refine(&mut reading, claims)?,
            Self::Kubernetes => kubernetes::refine(&mut reading, claims)?,
            Self::GithubActions => github_actions::refine(&mut reading),
            Self::Authentik => authentik::refine(&mut reading),
        }
        relocated::refine(at, &mut reading, claims)?;
        Ok(reading)
    }

    /// The claims of which every access token of the vendor has one and no ID token has any: those
    /// that name the OAuth client. Empty: the vendor does not say so.
    pub const fn client_claims(self) -> &'static [&'static str] {
        match self {
            Self::Entra | Self::Okta | Self::Auth0 | Self::Ping | Self::Authentik => {
                self.names().client
            }
            Self::Oidc
            | Self::Keycloak
            | Self::Google
            | Self::Workos
            | Self::Kubernetes
            | Self::GithubActions => &[],
        }
    }

    /// Whether its tokens have scopes.
    pub const fn has_scopes(self) -> bool {
        !self.names().scopes.is_empty()
    }

    const fn names(self) -> &'static ClaimNames {
        match self {
            Self::Oidc => &oidc::NAMES,
            Self::Entra => &entra::NAMES,
            Self::Okta => &okta::NAMES,
            Self::Auth0 => &auth0::NAMES,
            Self::Keycloak => &keycloak::NAMES,
            Self::Google => &google::NAMES,
            Self::Ping => &ping::NAMES,
            Self::Authentik => &authentik::NAMES,
            Self::Workos => &workos::NAMES,
            Self::Kubernetes => &kubernetes::NAMES,
            Self::GithubActions => &github_actions::NAMES,
        }
    }
}
