//! Decisions that need the body of a request.

use super::*;

const MAX_BYTES: usize = 16;

/// A check that stands for one of a signature over the body: only one body passes.
fn decided_by_body(request: Request<'_>) -> Decision {
    finish(|_| match request.body(MAX_BYTES)? {
        b"signed" => Ok(Outcome::Pass(Vec::new())),
        _ => Err(Reason::WebhookRequirement.into()),
    })
}

fn needs_body(decision: &Decision) -> bool {
    let need = Need::Body {
        max_bytes: MAX_BYTES,
    };
    matches!(&decision.outcome, Outcome::Await(wanted) if *wanted == need)
}

#[test]
fn a_decision_names_the_body_that_it_needs_and_is_then_taken_again() {
    let head = request("POST", "/webhook/orders/new", &[]);
    let before = decided_by_body(Request::of_head(&head));
    assert!(needs_body(&before), "{before:?}");
    let with = |body| {
        decided_by_body(Request {
            body: Some(body),
            ..Request::of_head(&head)
        })
    };
    assert!(matches!(with(b"signed").outcome, Outcome::Pass(_)));
    assert_eq!(reason(&with(b"other")), "webhook_requirement");
    assert_eq!(reason(&with(b"")), "webhook_requirement");
}

#[test]
fn a_body_that_is_longer_than_asked_for_decides_nothing() {
    let head = request("POST", "/webhook/orders/new", &[]);
    let body = [b'x'; MAX_BYTES + 1];
    let decision = decided_by_body(Request {
        body: Some(&body),
        ..Request::of_head(&head)
    });
    assert!(needs_body(&decision), "{decision:?}");
}
