//! A section of the configuration, as the reference documentation and the schema need it.

use crate::config::rules::Rule;
use crate::config::section::{FieldReference, Section};

/// An object of the configuration, as data.
pub(super) struct SectionReference {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) fields: Vec<FieldReference>,
    pub(super) own_rules: &'static [Rule],
    pub(super) rules: Vec<&'static Rule>,
}

impl SectionReference {
    pub(super) fn of<S: Section>() -> Self {
        Self {
            title: S::TITLE,
            about: S::ABOUT.trim(),
            fields: S::fields(),
            own_rules: S::OWN_RULES,
            rules: S::RULES.iter().copied().flatten().collect(),
        }
    }
}
