//! Names of roles, scopes and groups.

use serde_json::json;

use super::*;

#[test]
fn no_role_of_keycloak_passes_for_another_s() {
    let claims = json!({
        "sub": "x", "realm_access": {"roles": ["plain", "a:b:c", "n8n:admin", "50%", "a%3Ab"]},
        "resource_access": {
            "n8n": {"roles": ["admin", "b:c"]},
            "a": {"roles": ["b:c", "b%3Ac"]},
            "a:b": {"roles": ["c"]},
            "": {"roles": ["n8n:admin"]},
        },
    });
    let identity = read(Dialect::Keycloak, &claims).expect("an identity");
    assert_eq!(
        identity.roles,
        [
            "plain",
            "a%3Ab%3Ac",
            "n8n%3Aadmin",
            "50%25",
            "a%253Ab",
            ":n8n%3Aadmin",
            "a:b%3Ac",
            "a:b%253Ac",
            "a%3Ab:c",
            "n8n:admin",
            "n8n:b%3Ac",
        ]
    );
}

#[test]
fn a_name_that_a_token_repeats_counts_once() {
    let repeated = vec!["x"; 1000];
    let claims = json!({
        "sub": "x", "scope": "x x y x", "scp": repeated, "roles": repeated, "groups": repeated,
        "realm_access": {"roles": repeated}, "resource_access": {"c": {"roles": repeated}},
    });
    let oidc = read(Dialect::Oidc, &claims).expect("an identity");
    assert_eq!(oidc.scopes, ["x", "y"]);
    assert_eq!(oidc.roles, ["x"]);
    assert_eq!(oidc.groups, ["x"]);
    let keycloak = read(Dialect::Keycloak, &claims).expect("an identity");
    assert_eq!(keycloak.roles, ["x", "c:x"]);
}

/// Each value is looked up among principals, and each rule that is found compared with the caller:
/// a name that was looked up as often as a token repeats it would cost the square of its length.
#[test]
fn as_much_is_looked_up_as_a_token_has_names_and_no_more() {
    for count in [100_usize, 1_000, 4_000] {
        let distinct: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        let twice = [&distinct[..], &distinct[..]].concat();
        for names in [&distinct, &twice] {
            let claims = json!({
                "sub": "x", "azp": "c", "cid": "c", "scope": names.join(" "), "scp": names, "roles": names,
                "groups": names, "realm_access": {"roles": names},
                "resource_access": {"c": {"roles": names}},
            });
            for (dialect, lists) in [
                (Dialect::Oidc, 3),
                (Dialect::Keycloak, 4),
                (Dialect::Okta, 3),
                (Dialect::Auth0, 3),
            ] {
                let identity = read(dialect, &claims).expect("an identity");
                let looked_up = crate::policy::Dimension::values_of(&identity).len();
                assert_eq!(looked_up, lists * count + 3, "{dialect:?} {count}");
            }
        }
    }
}
