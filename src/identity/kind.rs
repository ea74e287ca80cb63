//! Whether a caller is an application or a person.

/// Whether a caller is an application or a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An application that acts for itself (client credentials).
    App,
    /// A person, through an application.
    User,
    /// The token has no mark, or its marks contradict each other. No rule for applications or for
    /// people matches such a caller.
    Unknown,
}

impl Kind {
    /// The name in configuration, headers and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::User => "user",
            Self::Unknown => "unknown",
        }
    }
}

/// The marks of an application and of a person in a token. A mark is something that only the
/// provider writes, and only into tokens of that kind. A value that a person or an application can
/// choose is no mark, nor is the absence of the other mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) app: bool,
    pub(super) user: bool,
}

impl Marks {
    pub(super) const fn kind(self) -> Kind {
        match (self.app, self.user) {
            (true, false) => Kind::App,
            (false, true) => Kind::User,
            _ => Kind::Unknown,
        }
    }
}
