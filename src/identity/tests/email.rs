//! Whose e-mail address counts.

use serde_json::json;

use super::*;

/// Whose address counts, by what the provider says of it.
#[test]
#[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
fn an_address_counts_if_its_provider_vouches_for_it() {
    let address = |dialect, claims: Value, trust| {
        let mut claims = claims;
        claims["email"] = claims.get("email").cloned().unwrap_or(json!("a@b.example"));
        claims["sub"] = json!("s");
        let identity = read_as(&rules(dialect, trust), &claims, false).unwrap();
        identity.verified_email.is_some()
    };
    let verified = json!({"email_verified": true});
    for (dialect, claims, untrusted, trusted) in [
        (Dialect::Oidc, verified.clone(), true, true),
        (Dialect::Oidc, json!({}), false, true),
        (Dialect::Oidc, json!({"email_verified": "true"}), true, true),
        // No other text is a yes.
        (
            Dialect::Oidc,
            json!({"email_verified": "True"}),
            false,
            true,
        ),
        (Dialect::Oidc, json!({"email_verified": "1"}), false, true),
        (Dialect::Oidc, json!({"email_verified": 1}), false, true),
        (Dialect::Oidc, json!({"email_verified": "yes"}), false, true),
        (
            Dialect::Oidc,
            json!({"email_verified": ["true"]}),
            false,
            true,
        ),
        (Dialect::Oidc, json!({"email_verified": null}), false, true),
        // What is a no is never silence.
        (
            Dialect::Oidc,
            json!({"email_verified": false}),
            false,
            false,
        ),
        (
            Dialect::Oidc,
            json!({"email_verified": "false"}),
            false,
            false,
        ),
        (
            Dialect::Oidc,
            json!({"email_verified": "FALSE"}),
            false,
            false,
        ),
        (Dialect::Oidc, json!({"email_verified": "0"}), false, false),
        (Dialect::Oidc, json!({"email_verified": 0}), false, false),
        (Dialect::Oidc, json!({"email_verified": "no"}), false, false),
        (Dialect::Oidc, json!({"xms_edov": true}), false, true),
        // Of Entra's addresses only the owner of their domain can speak (nOAuth).
        (Dialect::Entra, verified.clone(), false, false),
        (Dialect::Entra, json!({}), false, true),
        (Dialect::Entra, json!({"xms_edov": true}), true, true),
        (
            Dialect::Entra,
            json!({"email_verified": "true"}),
            false,
            false,
        ),
        (
            Dialect::Entra,
            json!({"email_verified": null}),
            false,
            false,
        ),
        (Dialect::Entra, json!({"xms_edov": "1"}), true, true),
        (Dialect::Entra, json!({"xms_edov": "true"}), true, true),
        (Dialect::Entra, json!({"xms_edov": 1}), true, true),
        (Dialect::Entra, json!({"xms_edov": false}), false, false),
        (Dialect::Entra, json!({"xms_edov": "0"}), false, false),
        (Dialect::Entra, json!({"xms_edov": null}), false, false),
        // authentik checks no address, whatever it says.
        (Dialect::Authentik, verified.clone(), false, true),
        (
            Dialect::Authentik,
            json!({"email_verified": false}),
            false,
            false,
        ),
        (
            Dialect::Authentik,
            json!({"email_verified": "true"}),
            false,
            true,
        ),
        (
            Dialect::Google,
            json!({"email_verified": "true"}),
            false,
            false,
        ),
        // Google does not speak for addresses of others.
        (Dialect::Google, verified, false, false),
        (
            Dialect::Google,
            json!({"email_verified": true, "hd": "b.example"}),
            true,
            true,
        ),
        (Dialect::Google, json!({"hd": "b.example"}), false, true),
        (
            Dialect::Google,
            json!({"email_verified": true, "email": "a@gmail.com"}),
            true,
            true,
        ),
        (
            Dialect::Google,
            json!({"email_verified": true, "email": "a@evilgserviceaccount.com"}),
            false,
            false,
        ),
        (
            Dialect::Google,
            json!({"email_verified": true, "email": "a@p.iam.gserviceaccount.com"}),
            true,
            true,
        ),
    ] {
        assert_eq!(
            address(dialect, claims.clone(), false),
            untrusted,
            "{dialect:?} {claims}"
        );
        assert_eq!(
            address(dialect, claims.clone(), true),
            trusted,
            "trusted {dialect:?} {claims}"
        );
    }
}

#[test]
fn an_address_belongs_to_a_domain_if_it_has_one_alone() {
    for (address, domain) in [
        ("ann@example.com", Some("example.com")),
        ("ann@evil.example@example.com", None),
        ("ann@@example.com", None),
        ("@example.com", None),
        ("ann@", None),
        ("@", None),
        ("example.com", None),
        ("", None),
    ] {
        assert_eq!(domain_of(address), domain, "{address}");
    }
}

/// Programs disagree on the domain of an odd address. So it does not count, also if the provider says
/// that it is verified.
#[test]
fn an_address_that_could_be_read_in_two_ways_does_not_count() {
    let counts = |address: &str| {
        let claims = json!({"email": address, "email_verified": true});
        let identity = read(Dialect::Oidc, &claims).unwrap();
        identity.verified_email.as_deref() == Some(address)
    };
    assert!(counts("ann.o'neil+x@example.com"));
    for address in [
        "ann@evil.example@example.com",
        "ann@@example.com",
        "@example.com",
        "ann@",
        "@",
        "ann",
        "",
        "ann @example.com",
        "ann@example.com ",
        " ann@example.com",
        "ann\0@example.com",
        "ann\n@example.com",
        "ann@example.com\r",
        "ann\t@example.com",
        "ann\u{7f}@example.com",
        "\u{e4}nn@example.com",
        "ann@ex\u{e4}mple.com",
    ] {
        assert!(!counts(address), "{address:?}");
    }
    for address in [json!(["ann@example.com"]), json!(7), json!(null)] {
        let claims = json!({"email": address, "email_verified": true});
        let identity = read(Dialect::Oidc, &claims).unwrap();
        assert_eq!(identity.verified_email, None, "{claims}");
    }
}

#[test]
fn a_sound_address_does_not_count_where_its_provider_denies_it_or_says_nothing() {
    for vouched in [json!({}), json!({"email_verified": false})] {
        let mut claims = vouched;
        claims["email"] = json!("ann@example.com");
        let identity = read(Dialect::Oidc, &claims).unwrap();
        assert_eq!(identity.verified_email, None, "{claims}");
    }
}

#[test]
fn google_names_the_domain_that_hosts_an_account() {
    let claims = json!({"sub": "7", "email": "ann@alias.example", "hd": "example.com"});
    let identity = read(Dialect::Google, &claims).unwrap();
    assert_eq!(identity.hosted_domain.as_deref(), Some("example.com"));
    let elsewhere = read(Dialect::Oidc, &claims).unwrap();
    assert_eq!(elsewhere.hosted_domain, None);
}
