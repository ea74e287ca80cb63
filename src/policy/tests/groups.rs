//! Rules on groups, where a token leaves groups out because there are too many.

use super::*;

/// A caller of whom the token says that there are more groups.
#[test]
fn a_rule_misses_the_groups_that_a_token_leaves_out() {
    let overage = Identity {
        groups_left_out: true,
        groups: Vec::new(),
        ..person()
    };
    let asks = Condition {
        groups: Some(one("g")),
        ..Condition::default()
    };
    assert!(asks.misses_groups(&overage));
    assert!(!asks.misses_groups(&person()), "the token has all groups");
    let outsider = Identity {
        groups: vec!["other".to_owned()],
        ..person()
    };
    assert!(!asks.misses_groups(&outsider), "and all of them are others");
    let also_fails_elsewhere = Condition {
        clients: Some(one("other")),
        ..asks.clone()
    };
    assert!(!also_fails_elsewhere.misses_groups(&overage));
    assert!(
        !Condition::default().misses_groups(&overage),
        "asks for none"
    );
    let has_it_all_the_same = Identity {
        groups: vec!["g".to_owned()],
        ..overage
    };
    assert!(!asks.misses_groups(&has_it_all_the_same));
}

#[test]
fn a_rule_on_the_claim_of_groups_misses_what_the_token_leaves_out() {
    // A person in so many groups that Entra leaves them out, `contractors` among them.
    let identity = Identity {
        groups_left_out: true,
        groups: Vec::new(),
        ..person()
    };
    let contractors = Condition {
        claims: vec![ClaimRule {
            path: vec!["groups".to_owned()].into(),
            exists: None,
            all: vec![ClaimTest::Contains("contractors".into())],
            none: Vec::new(),
        }],
        ..Condition::default()
    };
    assert!(contractors.misses_groups(&identity));
    let without_groups = Condition {
        claims: vec![ClaimRule {
            path: vec!["groups".to_owned()].into(),
            exists: Some(false),
            all: Vec::new(),
            none: Vec::new(),
        }],
        ..Condition::default()
    };
    assert!(!without_groups.holds(&identity));
}

/// A caller may be in the very group that a provider keeps out, where the token holds too few of
/// them to tell.
#[test]
fn a_rule_of_a_provider_on_groups_lets_in_no_caller_whose_groups_are_left_out() {
    let rule = |exists, all: &[ClaimTest], none: &[ClaimTest]| ClaimRule {
        path: vec!["groups".to_owned()].into(),
        exists,
        all: all.to_vec(),
        none: none.to_vec(),
    };
    let contains = |group: &str| ClaimTest::Contains(group.into());
    let some = Identity {
        claims: Arc::new(Document::from(&json!({"groups": ["staff"]}))),
        ..person()
    };
    let none = person();
    for (rule, identity) in [
        (rule(None, &[contains("staff")], &[]), &some),
        (rule(Some(true), &[], &[contains("contractors")]), &some),
        (rule(None, &[], &[contains("contractors")]), &some),
        (rule(Some(false), &[], &[]), &none),
    ] {
        let admission = Admission {
            claims: vec![rule],
            ..Admission::default()
        };
        assert_eq!(admission.check(identity), Ok(()), "{admission:?}");
        let overage = Identity {
            groups_left_out: true,
            ..identity.clone()
        };
        let refused = NotAdmitted::Claim("groups".to_owned());
        assert_eq!(admission.check(&overage), Err(refused), "{admission:?}");
    }
    let overage = Identity {
        groups_left_out: true,
        ..person()
    };
    let of_another_claim = ["c", "absent", "absent.groups", "groups.absent"].map(|path| {
        let rule = ClaimRule {
            path: path
                .split('.')
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .into(),
            exists: Some(path == "c"),
            all: Vec::new(),
            none: Vec::new(),
        };
        let admission = Admission {
            claims: vec![rule],
            ..Admission::default()
        };
        admission.check(&overage)
    });
    let below_groups = Err(NotAdmitted::Claim("groups.absent".to_owned()));
    assert_eq!(of_another_claim, [Ok(()), Ok(()), Ok(()), below_groups]);
}
