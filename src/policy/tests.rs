//! Rules on identities.

mod admission;
mod condition;
mod groups;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::formats::json::Document;
use crate::identity::{ClaimRule, ClaimTest, Identity, Kind};
use crate::time::UnixSeconds;

fn person() -> Identity {
    Identity {
        provider: "idp".into(),
        issuer: "https://idp.example".into(),
        subject: Some("u".to_owned()),
        client: Some("c".to_owned()),
        kind: Kind::User,
        verified_email: Some("Ann@Example.com".to_owned()),
        scopes: vec!["s".to_owned()],
        roles: vec!["r".to_owned(), "q".to_owned()],
        groups: vec!["g".to_owned()],
        groups_left_out: false,
        tenant: Some("t".to_owned()),
        hosted_domain: None,
        token_id: None,
        expires: UnixSeconds(7),
        claims: Arc::new(Document::from(&json!({"c": "x"}))),
    }
}

fn claim_is(name: &str, value: &str) -> ClaimRule {
    ClaimRule {
        path: vec![name.to_owned()].into(),
        exists: None,
        all: vec![ClaimTest::OneOf(vec![json!(value)])],
        none: Vec::new(),
    }
}

fn one(value: &str) -> BTreeSet<String> {
    BTreeSet::from([value.to_owned()])
}

/// Workers on several threads of one host share one policy.
#[test]
fn a_policy_can_be_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Policy>();
}
