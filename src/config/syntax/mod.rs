//! Texts: what they may look like.
//!
//! `raw` declares the fields that have these syntaxes. No syntax imports a field.

mod email;
mod moment;
mod name;
mod network;
mod path;
mod scope;
mod signature;
mod url;
mod version;

pub(super) use email::{Email, EmailDomain};
pub(super) use moment::Moment;
pub(super) use name::{ClusterName, CookieName, FieldName, HostName, PrincipalName, ShortName};
pub(super) use network::NetworkText;
pub(super) use path::{Domain, OuterPath, PathTemplate, Prefix, Segment};
pub(super) use scope::ScopeToken;
pub(super) use signature::SignedTemplate;
pub(super) use url::{DocumentUri, Issuer, Origin, PageUri, Resource, Server};
pub(super) use version::N8nVersion;

use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{check_text, gathered, wrong_kind, OneOrMany, Read};
use super::report::Message;
use super::shape::{Description, Shape};

/// The rules of a kind of text.
pub(super) trait Syntax {
    /// The rules as the reference documentation has them.
    const DESCRIPTION: Description;

    /// Says what is wrong with a text that is not empty, not padded and free of control characters.
    fn check(text: &str) -> Result<(), Message>;
}

/// Any text that is not empty.
pub(super) struct Plain;

impl Syntax for Plain {
    const DESCRIPTION: Description = Description {
        name: "string",
        rules: "Not empty, without blanks at its ends and without control characters. So is each \
                text below, too.",
        pattern: None,
        example: "api://n8n-api",
    };

    fn check(_: &str) -> Result<(), Message> {
        Ok(())
    }
}

/// A text that keeps the rules of `S`.
pub(super) struct Text<S = Plain> {
    pub(super) text: String,
    syntax: PhantomData<S>,
}

impl<S> Text<S> {
    /// A text that is known to keep the rules, such as a default.
    pub(super) fn known(text: String) -> Self {
        Self {
            text,
            syntax: PhantomData,
        }
    }
}

impl<S: Syntax> Read for Text<S> {
    fn shape() -> Shape {
        Shape::Text(S::DESCRIPTION)
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::String(text) = value else {
            wrong_kind(value, path, "a string", "write one string");
            return None;
        };
        match check_text(text).and_then(|()| S::check(text)) {
            Ok(()) => Some(Self::known(text.clone())),
            Err(message) => {
                path.report(message);
                None
            }
        }
    }

    fn written(&self) -> Option<Value> {
        Some(Value::String(self.text.clone()))
    }
}

impl<S> OneOrMany<Text<S>> {
    /// The texts, without order.
    pub(super) fn into_set(self) -> BTreeSet<String> {
        gathered(self.0.into_iter().map(|item| item.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_keeps_the_rules<S: Syntax>() {
        let Description { name, example, .. } = S::DESCRIPTION;
        let result = check_text(example).and_then(|()| S::check(example));
        assert_eq!(result, Ok(()), "{name}");
    }

    #[test]
    fn the_example_of_each_syntax_keeps_its_rules() {
        example_keeps_the_rules::<Plain>();
        example_keeps_the_rules::<Email>();
        example_keeps_the_rules::<EmailDomain>();
        example_keeps_the_rules::<ClusterName>();
        example_keeps_the_rules::<Moment>();
        example_keeps_the_rules::<HostName>();
        example_keeps_the_rules::<PrincipalName>();
        example_keeps_the_rules::<N8nVersion>();
        example_keeps_the_rules::<NetworkText>();
        example_keeps_the_rules::<ShortName>();
        example_keeps_the_rules::<Domain>();
        example_keeps_the_rules::<OuterPath>();
        example_keeps_the_rules::<PathTemplate>();
        example_keeps_the_rules::<Prefix>();
        example_keeps_the_rules::<SignedTemplate>();
        example_keeps_the_rules::<Segment>();
        example_keeps_the_rules::<ScopeToken>();
        example_keeps_the_rules::<DocumentUri>();
        example_keeps_the_rules::<Issuer>();
        example_keeps_the_rules::<PageUri>();
        example_keeps_the_rules::<Resource>();
        example_keeps_the_rules::<Server>();
    }
}
