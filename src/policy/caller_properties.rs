//! What the host learns about a verified caller.

/// What the host learns about a verified caller, for its access logs and for filters after this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerProperties {
    /// The name of its principal.
    pub principal: bool,
    /// Its OAuth client.
    pub client: bool,
    /// Its subject.
    pub subject: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerProperty {
    /// The name of the principal.
    Principal,
    /// The OAuth client.
    Client,
    /// The subject.
    Subject,
}

impl FromIterator<CallerProperty> for CallerProperties {
    fn from_iter<I: IntoIterator<Item = CallerProperty>>(chosen: I) -> Self {
        let mut all = Self::default();
        for one in chosen {
            *match one {
                CallerProperty::Principal => &mut all.principal,
                CallerProperty::Client => &mut all.client,
                CallerProperty::Subject => &mut all.subject,
            } = true;
        }
        all
    }
}
