//! How n8n lets the program in, or does not.

use serde_json::json;

use crate::desk::{good, Desk, ALL};

#[test]
fn the_owner_of_a_new_n8n_is_added_only_when_asked() {
    let settings = json!({"data": {"userManagement": {"showSetupOnFirstLoad": true}}});
    let new = [
        ("GET /rest/settings", 200, settings),
        (
            "POST /rest/owner/setup",
            200,
            json!({"data": {"id": "u-1"}}),
        ),
        (
            "POST /rest/login",
            401,
            json!({"code": 401, "message": "Wrong username or password."}),
        ),
    ];
    let desk = Desk::new(good(&[], &new));
    desk.fails(&ALL, &["has no owner yet: give --set-up-owner"]);
    let set_up = [&ALL[..], &["--set-up-owner"]].concat();
    desk.succeeds(
        &[&set_up[..], &["--dry-run"]].concat(),
        &["would add the owner owner@n8n.example"],
    );
    desk.changed_nothing();
    desk.succeeds(&set_up, &["added the owner owner@n8n.example"]);
    let made = "POST /rest/api-keys";
    assert_eq!(desk.changes(), ["POST /rest/owner/setup", made, made]);
}

#[test]
fn what_n8n_refuses_is_said_with_what_to_do() {
    let log_in = |status: u16, code: u64, message: &str| {
        vec![(
            "POST /rest/login",
            status,
            json!({"code": code, "message": message}),
        )]
    };
    let forbidden = |line, status| good(&[], &[(line, status, json!({"message": "no \u{1b}[2J"}))]);
    for (steps, expected) in [
        (
            log_in(401, 998, "MFA Error"),
            "has a second factor: set N8N_OWNER_MFA_CODE",
        ),
        (
            log_in(401, 401, "Invalid mfa token or recovery code"),
            "refuses the code in N8N_OWNER_MFA_CODE",
        ),
        (
            log_in(401, 401, "SSO is enabled, please log in with SSO"),
            "single sign-on only",
        ),
        (
            log_in(401, 401, "Wrong username or password."),
            "or it has another password",
        ),
        (log_in(429, 0, ""), "Try again in 42 seconds"),
        (log_in(404, 0, ""), "has no log-in at that path"),
        (
            log_in(302, 0, ""),
            "redirects to https://elsewhere.example/",
        ),
        (
            forbidden("GET /rest/api-keys?", 404),
            "N8N_PUBLIC_API_DISABLED",
        ),
        (
            forbidden("GET /rest/api-keys?", 403),
            "the role of this user has no API keys",
        ),
        (
            forbidden("POST /rest/api-keys", 400),
            "making the API key n8n-idp-gate:reports: n8n responds with 400",
        ),
    ] {
        Desk::new(steps).fails(&ALL, &[expected]);
    }
}
