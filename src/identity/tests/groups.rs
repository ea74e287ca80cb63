//! Groups that a token leaves out, since there are too many.

use serde_json::json;

use super::*;

#[test]
fn groups_that_are_elsewhere_are_missed_in_every_dialect() {
    // OpenID Connect Core 1.0 section 5.6.2: `groups` is available elsewhere.
    let identity = read(
        Dialect::Oidc,
        &json!({"azp": "cli", "sub": "ann", "_claim_names": {"groups": "src1"}}),
    );
    assert!(identity.unwrap().groups_left_out);
}

#[test]
fn entra_says_in_two_ways_that_it_leaves_groups_out() {
    let left_out = |change: Value| {
        let identity = read(Dialect::Entra, &change).unwrap();
        identity.groups_left_out
    };
    assert!(left_out(json!({"azp": "cli", "hasgroups": true})));
    assert!(left_out(
        json!({"azp": "cli", "_claim_names": {"groups": "src1"}})
    ));
    assert!(!left_out(json!({"azp": "cli", "groups": ["staff"]})));
    assert!(!left_out(
        json!({"azp": "cli", "_claim_names": {"x": "src1"}})
    ));
}
