//! Which principal a good token makes its caller, and who is none.

use super::*;

#[test]
fn an_email_that_is_not_verified_matches_no_principal() {
    for claims in [
        person("ann@example.com", false, &["Admin"]),
        person("ann@evil.example@example.com", true, &["Admin"]),
        person("ann@example.com.evil.example", true, &["Admin"]),
        person("@example.com", true, &["Admin"]),
        person("ann@sub.example.com", true, &["Admin"]),
        {
            let mut claims = person("ann@example.com", true, &["Admin"]);
            claims["email_verified"] = json!("yes");
            claims
        },
    ] {
        let request = bearing("GET", WORKFLOWS, &claims);
        assert_eq!(reason(&decided(&request)), "no_principal", "{claims}");
    }
}

#[test]
fn trust_in_emails_covers_silence_and_no_denial() {
    let mut configuration = configuration();
    configuration["providers"][0]["trust_email"] = json!(true);
    let facts = facts(&configuration);
    let mut claims = person("Ann@Example.com", true, &["Admin"]);
    claims.as_object_mut().unwrap().remove("email_verified");
    let silent = bearing("GET", WORKFLOWS, &claims);
    assert!(matches!(
        decide_with(&facts, &silent).outcome,
        Outcome::Forward(_)
    ));
    claims["email_verified"] = json!(false);
    let denied = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decide_with(&facts, &denied)), "no_principal");
}

#[test]
fn a_person_is_not_an_application_of_the_same_client() {
    let mut claims = claims("admin", &["Admin"]);
    claims["sub"] = json!("u-17");
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "no_principal");
}

#[test]
fn a_client_that_is_not_listed_is_refused_though_its_token_is_good() {
    for client in ["intruder", "Reader", "reader "] {
        let request = bearing("GET", WORKFLOWS, &claims(client, &["Admin"]));
        assert_eq!(
            reason(&decided(&request)),
            "client_not_allowed",
            "{client:?}"
        );
    }
    let mut nameless = claims("reader", &["Reader"]);
    nameless.as_object_mut().unwrap().remove("azp");
    let request = bearing("GET", WORKFLOWS, &nameless);
    assert_eq!(reason(&decided(&request)), "client_not_allowed");
}

#[test]
fn clients_that_disagree_are_refused() {
    let mut claims = claims("reader", &["Reader"]);
    claims["client_id"] = json!("admin");
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "clients_disagree");
    claims["client_id"] = json!(["reader"]);
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "identity_claim_malformed");
}

#[test]
fn a_good_token_without_a_principal_is_refused() {
    let request = bearing("GET", WORKFLOWS, &claims("visitor", &["Admin"]));
    assert_eq!(reason(&decided(&request)), "no_principal");
}
