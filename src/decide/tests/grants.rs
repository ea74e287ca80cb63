//! What a name under `roles` grants, be it a role or a scope.

use super::introspection::{decided_on, reason};
use super::*;

fn from(word: Option<&str>, claims: &Value) -> &'static str {
    let mut configuration = configuration();
    if let Some(word) = word {
        configuration["providers"][0]["roles_from"] = json!(word);
    }
    reason(&decided_on(&configuration, &sign(claims), Vec::new()))
}

/// At a provider that grants whatever is asked for, a client would pick its own role.
#[test]
fn a_scope_is_no_role_where_the_operator_says_so() {
    let role = claims("reader", &["Reader"]);
    let mut scope = claims("reader", &[]);
    scope["scope"] = json!("openid Reader");
    for (roles_from, of_role, of_scope) in [
        (Some("roles"), "forward", "insufficient_scope"),
        (Some("scopes"), "insufficient_scope", "forward"),
        (Some("both"), "forward", "forward"),
        (None, "forward", "forward"),
    ] {
        assert_eq!(from(roles_from, &role), of_role, "{roles_from:?}");
        assert_eq!(from(roles_from, &scope), of_scope, "{roles_from:?}");
    }
}

#[test]
fn a_scope_with_another_blank_in_it_grants_nothing() {
    let mut claims = claims("reader", &[]);
    for (scope, expected) in [
        ("openid Reader", "forward"),
        ("openid\tReader", "insufficient_scope"),
        ("openid\nReader", "insufficient_scope"),
        ("Reader\r", "insufficient_scope"),
        ("Reader \u{b}", "insufficient_scope"),
        ("openid\u{a0}Reader", "insufficient_scope"),
    ] {
        claims["scope"] = json!(scope);
        assert_eq!(from(None, &claims), expected, "{scope:?}");
    }
}
