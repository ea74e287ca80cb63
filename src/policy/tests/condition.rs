//! Which identities a condition holds for.

use super::*;

/// For every dimension: a condition that holds for [`person`], and one that does not.
fn dimensions() -> BTreeMap<&'static str, [Condition; 2]> {
    let make = |set: fn(&mut Condition, &str), values: [&str; 2]| {
        values.map(|value| {
            let mut condition = Condition::default();
            set(&mut condition, value);
            condition
        })
    };
    BTreeMap::from([
        (
            "provider",
            make(|c, v| c.providers = Some(one(v)), ["idp", "other"]),
        ),
        ("client", make(|c, v| c.clients = Some(one(v)), ["c", "C"])),
        (
            "subject",
            make(|c, v| c.subjects = Some(one(v)), ["u", "u "]),
        ),
        (
            "email",
            make(
                |c, v| c.emails = Some(one(v)),
                ["ann@example.com", "bob@example.com"],
            ),
        ),
        (
            "domain",
            make(
                |c, v| c.email_domains = Some(one(v)),
                ["example.com", "ample.com"],
            ),
        ),
        ("tenant", make(|c, v| c.tenants = Some(one(v)), ["t", "x"])),
        ("role", make(|c, v| c.roles = Some(one(v)), ["q", "x"])),
        ("scope", make(|c, v| c.scopes = Some(one(v)), ["s", "x"])),
        ("group", make(|c, v| c.groups = Some(one(v)), ["g", "x"])),
        (
            "claims",
            make(|c, v| c.claims = vec![claim_is("c", v)], ["x", "y"]),
        ),
        (
            "kind",
            [Kind::User, Kind::App].map(|kind| Condition {
                kind: Some(kind),
                ..Condition::default()
            }),
        ),
    ])
}

#[test]
fn every_dimension_that_is_given_must_hold() {
    assert!(Condition::default().holds(&person()));
    for (name, [holds, fails]) in dimensions() {
        assert!(holds.holds(&person()), "{name}");
        assert!(!fails.holds(&person()), "{name}");
    }
    let anonymous = Identity {
        subject: None,
        client: None,
        kind: Kind::App,
        verified_email: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        tenant: None,
        claims: Arc::default(),
        provider: "".into(),
        ..person()
    };
    for (name, [holds, _]) in dimensions() {
        assert!(!holds.holds(&anonymous), "{name}");
    }
}

#[test]
fn a_condition_covers_those_that_are_narrower() {
    let all = dimensions();
    for (name, [holds, fails]) in &all {
        assert!(Condition::default().covers(holds), "{name}");
        assert!(!holds.covers(&Condition::default()), "{name}");
        assert!(holds.covers(holds), "{name}");
        assert!(!holds.covers(fails), "{name}");
    }
    let [ann, _] = &all["email"];
    let [domain, elsewhere] = &all["domain"];
    assert!(domain.covers(ann), "the address lies in the domain");
    assert!(!elsewhere.covers(ann));
    assert!(!ann.covers(domain));
}

#[test]
fn rules_on_claims_follow_from_the_same_rules_and_more() {
    let with = |claims: &[ClaimRule]| Condition {
        claims: claims.to_vec(),
        ..Condition::default()
    };
    let (one, other) = (claim_is("c", "x"), claim_is("d", "x"));
    let both = with(&[other.clone(), one.clone()]);
    assert!(with(std::slice::from_ref(&one)).covers(&both));
    assert!(!with(&[one.clone(), other.clone()]).covers(&with(&[one])));
    let looser = ClaimRule {
        exists: Some(true),
        all: Vec::new(),
        ..other.clone()
    };
    assert!(!with(&[looser]).covers(&with(&[other])), "not worked out");
}

/// An explanation names the field that a decision stops at.
#[test]
fn a_mismatch_names_its_field() {
    let person = person();
    for (name, [matching, other]) in dimensions() {
        assert_eq!(matching.mismatch(&person), None, "{name}");
        let found = match other.mismatch(&person) {
            Some(Mismatch::Provider) => "provider",
            Some(Mismatch::Client) => "client",
            Some(Mismatch::Subject) => "subject",
            Some(Mismatch::Kind) => "kind",
            Some(Mismatch::Email) => "email",
            Some(Mismatch::EmailDomain) => "domain",
            Some(Mismatch::Tenant) => "tenant",
            Some(Mismatch::Roles) => "role",
            Some(Mismatch::Scopes) => "scope",
            Some(Mismatch::Groups) => "group",
            Some(Mismatch::Claim(rule)) if other.claims.contains(rule) => "claims",
            _ => "none",
        };
        assert_eq!(found, name);
    }
}
