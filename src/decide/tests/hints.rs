//! What the record of a refused token adds to the reason.

use super::introspection::{active_status, asking, decided_on, reason};
use super::*;

#[test]
fn only_a_token_of_no_jwt_shape_is_called_opaque() {
    let refused = |token: &str| {
        let decision = decided_on(&configuration(), token, vec![]);
        let hint = decision.record.hint.unwrap_or_default();
        (reason(&decision), hint.starts_with("an opaque token"))
    };
    assert_eq!(refused("opaque"), ("not_a_jws", true));
    // Three parts, and the second is no base64url.
    assert_eq!(refused("eyJhbGciOiJSUzI1NiJ9.x.y"), ("not_a_jws", false));
}

#[test]
fn a_response_is_recorded_as_unverified_only_where_no_caller_is_known() {
    let unlisted = active_status(&json!({"azp": "intruder"}));
    let decision = decided_on(&asking(), "opaque", vec![unlisted]);
    assert!(matches!(decision.outcome, Outcome::Reject(_)));
    assert!(decision.record.identity.is_some());
    assert!(decision.record.claimed.is_none());
}
