//! The dialects.

/// The rules for where one vendor puts its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Any OpenID provider; the default.
    Oidc,
    /// Microsoft Entra ID.
    Entra,
    /// Okta, with its custom authorization servers.
    Okta,
    /// Auth0.
    Auth0,
    /// Keycloak.
    Keycloak,
    /// Google, whose ID tokens are its only JWTs.
    Google,
    /// `PingOne`, and `PingFederate` where it is set up alike.
    Ping,
    /// authentik.
    Authentik,
    /// WorkOS `AuthKit` and Connect.
    Workos,
    /// Kubernetes service accounts.
    Kubernetes,
    /// Workflows of GitHub Actions.
    GithubActions,
}
