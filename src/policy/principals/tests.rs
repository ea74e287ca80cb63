#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::formats::json::Document;
use crate::identity::{ClaimRule, ClaimTest, Kind};
use crate::n8n::ScopeSet;
use crate::policy::{Condition, Upstream};
use crate::time::UnixSeconds;

fn principal(name: usize, matches: Condition) -> Principal {
    Principal {
        name: name.to_string().into(),
        matches,
        grant: ScopeSet::default(),
        allow: None,
        upstream: Upstream::Keys(Arc::new([])),
    }
}

fn principals(conditions: Vec<Condition>) -> Principals {
    let numbered = conditions.into_iter().enumerate();
    Principals::new(
        numbered
            .map(|(name, matches)| principal(name, matches))
            .collect(),
    )
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn client(name: &str) -> Condition {
    Condition {
        clients: Some(set(&[name])),
        ..Condition::default()
    }
}

fn name(found: Option<&Principal>) -> Option<&str> {
    found.map(|principal| &*principal.name)
}

/// Few values, so that conditions and identities meet.
fn value() -> impl Strategy<Value = String> {
    "[a-c]"
}

fn address() -> impl Strategy<Value = String> {
    "[a-b]@[a-c]"
}

fn listed(value: impl Strategy<Value = String>) -> impl Strategy<Value = Option<BTreeSet<String>>> {
    option::weighted(0.3, btree_set(value, 1..3))
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::App), Just(Kind::User), Just(Kind::Unknown)]
}

/// Rules of which identities here keep some.
fn claim_rule() -> impl Strategy<Value = ClaimRule> {
    (any::<bool>(), option::of(value())).prop_map(|(exists, equals)| ClaimRule {
        path: vec!["claim".to_owned()].into(),
        exists: Some(exists || equals.is_some()),
        all: equals
            .map(|value| ClaimTest::OneOf(vec![value.into()]))
            .into_iter()
            .collect(),
        none: Vec::new(),
    })
}

prop_compose! {
    fn condition()(
        emails in listed(address()),
        one in [listed(value()), listed(value()), listed(value()), listed(value())],
        other in [listed(value()), listed(value()), listed(value()), listed(value())],
        kind in option::weighted(0.2, kind()),
        claims in vec(claim_rule(), 0..2),
    ) -> Condition {
        let [providers, clients, subjects, email_domains] = one;
        let [tenants, roles, scopes, groups] = other;
        Condition {
            providers, clients, subjects, kind, emails, email_domains, tenants, roles, scopes,
            groups,
            claims,
        }
    }
}

prop_compose! {
    fn identity()(
        provider in value(),
        verified_email in option::of(address()),
        one in [option::of(value()), option::of(value()), option::of(value())],
        kind in kind(),
        several in [vec(value(), 0..3), vec(value(), 0..3), vec(value(), 0..3)],
        claim in option::of(value()),
    ) -> Identity {
        let [client, subject, tenant] = one;
        let [scopes, roles, groups] = several;
        Identity {
            provider: provider.as_str().into(),
            issuer: "".into(),
            subject, client, kind, verified_email, scopes, roles, groups, tenant,
            token_id: None,
            groups_left_out: false,
            hosted_domain: None,
            expires: UnixSeconds(0),
            claims: Arc::new(claim.map(|value| Document::from(&serde_json::json!({ "claim": value }))).unwrap_or_default()),
        }
    }
}

proptest! {
    #[test]
    fn looking_up_finds_what_going_through_all_of_them_finds(
        conditions in vec(condition(), 0..30),
        identities in vec(identity(), 20),
    ) {
        let principals = principals(conditions);
        for identity in identities {
            let first = principals.iter().find(|one| one.matches.holds(&identity));
            prop_assert_eq!(name(principals.of(&identity)), name(first));
        }
    }

    #[test]
    fn the_first_that_covers_is_the_one_that_going_through_all_of_them_finds(
        conditions in vec(condition(), 0..60),
    ) {
        let principals = principals(conditions);
        for principal in principals.iter() {
            let first = principals.iter().position(|one| one.matches.covers(&principal.matches));
            let found = principals.first_covering(principal).map(|(index, _)| index);
            prop_assert_eq!(found, first);
        }
    }
}

#[test]
fn a_condition_on_a_domain_covers_addresses_within_it() {
    let domain = Condition {
        email_domains: Some(set(&["example.com"])),
        ..Condition::default()
    };
    let addresses = Condition {
        emails: Some(set(&["a@example.com", "b@example.com"])),
        ..Condition::default()
    };
    let principals = principals(vec![client("x"), domain, addresses]);
    let last = principals.iter().last().unwrap();
    assert_eq!(principals.first_covering(last).unwrap().0, 1);
}

#[test]
fn a_rule_that_asks_for_groups_ends_the_search_where_the_token_leaves_some_out() {
    let group = |name| Condition {
        groups: Some(set(&[name])),
        ..Condition::default()
    };
    let caller = |groups_left_out| Identity {
        provider: "idp".into(),
        issuer: "".into(),
        subject: None,
        client: Some("c".to_owned()),
        kind: Kind::User,
        verified_email: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        groups_left_out,
        tenant: None,
        hosted_domain: None,
        token_id: None,
        expires: UnixSeconds(0),
        claims: Arc::default(),
    };
    let all = Condition::default;
    for (conditions, misses) in [
        (vec![group("contractors"), all()], true),
        (vec![client("c"), group("contractors")], false),
        (vec![client("d"), group("contractors")], true),
        (vec![group("contractors")], true),
        (vec![client("d")], false),
        (vec![], false),
    ] {
        let principals = principals(conditions);
        assert_eq!(
            principals.misses_groups(&caller(true)),
            misses,
            "{principals:?}"
        );
        assert!(!principals.misses_groups(&caller(false)), "{principals:?}");
    }
}

#[test]
fn principals_are_counted() {
    assert!(principals(vec![]).is_empty());
    let two = principals(vec![client("a"), client("b")]);
    assert_eq!((two.len(), two.is_empty()), (2, false));
}
