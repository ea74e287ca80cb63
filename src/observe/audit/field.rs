//! What the reference and the schema say of a field of the audit record.

/// What is known of a field beside its value.
pub(in crate::observe) struct FieldReference {
    pub(in crate::observe) name: &'static str,
    pub(in crate::observe) shape: Shape,
    pub(in crate::observe) presence: Presence,
    pub(in crate::observe) meaning: &'static str,
}

/// What a field holds.
pub(in crate::observe) enum Shape {
    Text,
    Words(&'static [&'static str]),
    Surface,
    Reason,
    Time,
    Status,
    /// A number from 1.
    Position,
    Version,
    False,
    Object(&'static [FieldReference]),
}

/// When a field is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::observe) enum Presence {
    Always,
    /// Where it is known.
    Known,
    /// After a token was verified, also on a refusal.
    Verified,
    Refused,
}
