//! What the host learns about a verified caller.

/// What the host can learn about a verified caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerProperty {
    /// The name of the principal.
    Principal,
    /// The OAuth client.
    Client,
    /// The subject.
    Subject,
}

impl CallerProperty {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Principal, Self::Client, Self::Subject];

    /// The name in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Client => "client",
            Self::Subject => "subject",
        }
    }

    /// The name of the property.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Principal => "n8n_idp_gate.principal",
            Self::Client => "n8n_idp_gate.client",
            Self::Subject => "n8n_idp_gate.subject",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Principal => 1,
            Self::Client => 2,
            Self::Subject => 4,
        }
    }
}

/// What the host learns about a verified caller, for its access logs and for filters after this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerProperties(u8);

impl CallerProperties {
    /// Whether it learns this.
    pub const fn contains(self, one: CallerProperty) -> bool {
        self.0 & one.bit() != 0
    }
}

impl FromIterator<CallerProperty> for CallerProperties {
    fn from_iter<I: IntoIterator<Item = CallerProperty>>(chosen: I) -> Self {
        Self(chosen.into_iter().fold(0, |all, one| all | one.bit()))
    }
}
