//! The headers that name a caller to n8n.

/// A header that names a caller to n8n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeader {
    /// `sub` of the token.
    Subject,
    /// The OAuth client.
    Client,
    /// `iss` of the token.
    Issuer,
    /// Whether it is an application or a person.
    Kind,
    /// The verified e-mail address.
    Email,
    /// Its roles.
    Roles,
    /// Its scopes.
    Scopes,
    /// The name of its principal.
    Principal,
}

impl IdentityHeader {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Subject,
        Self::Client,
        Self::Issuer,
        Self::Kind,
        Self::Email,
        Self::Roles,
        Self::Scopes,
        Self::Principal,
    ];

    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        self.name().trim_start_matches("x-auth-")
    }

    /// The name of the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "x-auth-subject",
            Self::Client => "x-auth-client",
            Self::Issuer => "x-auth-issuer",
            Self::Kind => "x-auth-kind",
            Self::Email => "x-auth-email",
            Self::Roles => "x-auth-roles",
            Self::Scopes => "x-auth-scopes",
            Self::Principal => "x-auth-principal",
        }
    }
}
