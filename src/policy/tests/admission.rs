//! Which callers a provider admits.

use super::*;

/// Of which callers a provider's lists and rules say what.
#[test]
fn the_lists_of_a_provider_are_checked_one_by_one() {
    let refused = |admission: &Admission, identity: &Identity| admission.check(identity).err();
    let list = |value: &str| Some(one(value));
    for (listed, unlisted, fault) in [
        (
            Admission {
                clients: list("c"),
                ..Admission::default()
            },
            Admission {
                clients: list("C"),
                ..Admission::default()
            },
            NotAdmitted::Client,
        ),
        (
            Admission {
                tenants: list("t"),
                ..Admission::default()
            },
            Admission {
                tenants: list("T"),
                ..Admission::default()
            },
            NotAdmitted::Tenant,
        ),
        (
            Admission {
                domains: list("example.com"),
                ..Admission::default()
            },
            Admission {
                domains: list("ample.com"),
                ..Admission::default()
            },
            NotAdmitted::Domain,
        ),
        (
            Admission {
                claims: vec![claim_is("c", "x")],
                ..Admission::default()
            },
            Admission {
                claims: vec![claim_is("c", "y")],
                ..Admission::default()
            },
            NotAdmitted::Claim("c".to_owned()),
        ),
    ] {
        let anonymous = Identity {
            client: None,
            tenant: None,
            verified_email: None,
            claims: Arc::default(),
            ..person()
        };
        assert_eq!(refused(&listed, &person()), None);
        assert_eq!(refused(&unlisted, &person()), Some(fault.clone()));
        assert_eq!(refused(&listed, &anonymous), Some(fault));
        assert_eq!(refused(&Admission::default(), &anonymous), None);
    }
}

#[test]
fn the_domain_that_hosts_an_account_goes_before_that_of_its_address() {
    let admission = Admission {
        domains: Some(one("hosted.example")),
        ..Admission::default()
    };
    let hosted = Identity {
        hosted_domain: Some("Hosted.example".to_owned()),
        ..person()
    };
    assert_eq!(admission.check(&hosted), Ok(()));
    assert_eq!(admission.check(&person()), Err(NotAdmitted::Domain));
    let by_address = Admission {
        domains: Some(one("example.com")),
        ..Admission::default()
    };
    assert_eq!(by_address.check(&person()), Ok(()));
    assert_eq!(by_address.check(&hosted), Err(NotAdmitted::Domain));
}
