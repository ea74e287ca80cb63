//! Why no API key could be made, which requests that concerns, and for how long.

use serde_json::json;

use super::n8n::{response, N8n, User};
use super::provisioned::{provisioned, request_of, Found, Gate, TIMEOUT};
use super::*;
use crate::facts::MintRequest;

fn orders() -> MintRequest {
    request_of("orders", &["workflow:list"])
}

fn sales() -> MintRequest {
    request_of("sales", &["workflow:list"])
}

/// Asks for both users while n8n is as `set` makes it. Returns the fault of the first user, and whether
/// the second one gets a key.
fn fails(set: impl Fn(&mut N8n)) -> (&'static str, bool) {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    set(&mut n8n);
    let waits = gate.ask(&orders(), START);
    assert_eq!(waits, Found::Waits(1));
    gate.run(&mut n8n, START, &memory);
    assert_eq!(gate.woken, [1]);
    let Found::Outage(fault, wait) = gate.ask(&orders(), START) else {
        panic!("no outage");
    };
    assert!(
        !wait.is_zero() && wait <= Duration::from_secs(300),
        "{wait:?}"
    );
    assert!(
        matches!(&gate.events[..], [Event::KeyFailed(InstanceId(0), email, reported)]
            if email == orders().email() && reported.code().as_str() == fault),
        "{:?}",
        gate.events
    );
    let other = gate.get(&mut n8n, &sales(), START, &memory);
    // What failed is tried again after the pause, and then it works.
    let mut n8n = N8n::default();
    let later = START.saturating_add(wait);
    gate.get(&mut n8n, &orders(), later, &memory).key();
    (fault, matches!(other, Found::Key(_)))
}

#[test]
fn what_is_wrong_with_one_user_keeps_no_other_user_out() {
    let user = |user: User| {
        move |n8n: &mut N8n| {
            let user = User {
                password: user.password.clone(),
                names: user.names.clone(),
                ..user
            };
            n8n.users.insert(orders().email().to_owned(), user);
        }
    };
    let other_password = User {
        password: Some("Another1".to_owned()),
        ..User::default()
    };
    assert_eq!(fails(user(other_password)), ("user_password", true));
    let second_factor = User {
        password: Some("Another1".to_owned()),
        has_second_factor: true,
        ..User::default()
    };
    assert_eq!(fails(user(second_factor)), ("user_second_factor", true));
    let find = "GET /api/v1/users/orders%40gate.invalid";
    for (path, status, fault) in [
        (find, 500, "server_error"),
        (find, 400, "client_error"),
        (find, 418, "client_error"),
        ("POST /rest/invitations/accept", 403, "client_error"),
        ("POST /rest/invitations/accept", 500, "server_error"),
        ("GET /rest/api-keys/scopes", 500, "server_error"),
        ("GET /rest/api-keys/scopes", 404, "not_found"),
        ("POST /rest/api-keys", 400, "client_error"),
        ("POST /rest/api-keys", 500, "server_error"),
    ] {
        let set = |n8n: &mut N8n| n8n.faults.push((path, response(status, &json!({}))));
        assert_eq!(fails(set), (fault, true), "{path} {status}");
    }
    // The second response is the end of it: the user is read again once.
    let twice = |n8n: &mut N8n| {
        for _ in 0..2 {
            let fault = response(500, &json!({}));
            n8n.faults.push(("POST /api/v1/users", fault));
        }
    };
    assert_eq!(fails(twice), ("server_error", true));
}

#[test]
fn what_is_wrong_with_n8n_itself_makes_all_users_wait() {
    let refused = |n8n: &mut N8n| n8n.refuses_provisioning_key = true;
    assert_eq!(fails(refused), ("client_refused", false));
    for (status, fault) in [(503, "unavailable"), (504, "timeout"), (302, "redirect")] {
        let down = |n8n: &mut N8n| n8n.broken = Some(status);
        assert_eq!(fails(down), (fault, false), "{status}");
    }
    let lost = |n8n: &mut N8n| {
        n8n.faults.push(("GET /api", CallResponse::NoResponse));
    };
    assert_eq!(fails(lost), ("no_response", false));
    let unknown = |n8n: &mut N8n| {
        n8n.faults.push(("GET /api", CallResponse::NotDispatched));
    };
    assert_eq!(fails(unknown), ("not_dispatched", false));
}

#[test]
fn an_invitation_that_n8n_sends_by_e_mail_is_a_fault() {
    assert_eq!(
        fails(|n8n| n8n.has_smtp = true),
        ("invitation_mailed", false)
    );
}

/// A page of n8n's editor, or of a server that is not n8n, has status 200.
#[test]
fn a_response_that_n8n_does_not_send_is_a_fault_of_every_call() {
    let page = || ok("<!doctype html>");
    for path in [
        "GET /api/v1/users/",
        "POST /api/v1/users",
        "GET /rest/api-keys/scopes",
        "POST /rest/api-keys",
    ] {
        for wrong in [page(), ok("{}"), ok("null"), ok(""), ok(r#"{"data":{}}"#)] {
            let set = |n8n: &mut N8n| n8n.faults.push((path, wrong.clone()));
            assert_eq!(fails(set), ("answer_malformed", true), "{path}");
        }
    }
    // A log-in must set a session.
    let set = |n8n: &mut N8n| {
        n8n.late_faults
            .push(("POST /rest/invitations/accept", response(400, &json!({}))));
        n8n.faults.push(("POST /rest/login", page()));
    };
    assert_eq!(fails(set), ("answer_malformed", true));
    let large = |n8n: &mut N8n| {
        let body = vec![b' '; MAX_DOCUMENT + 1];
        n8n.faults.push(("GET /api/v1/users/", ok(body)));
    };
    assert_eq!(fails(large), ("too_large", true));
}

#[test]
fn a_session_that_n8n_refuses_right_after_a_log_in_is_a_fault() {
    let set = |n8n: &mut N8n| {
        for _ in 0..2 {
            let fault = response(401, &json!({}));
            n8n.faults.push(("GET /rest/api-keys/scopes", fault));
        }
    };
    assert_eq!(fails(set), ("session_refused", true));
}

#[test]
fn a_limit_of_log_ins_is_that_of_one_user_and_its_time_is_kept() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    n8n.users.insert(
        orders().email().to_owned(),
        User {
            password: Some("Another1".to_owned()),
            ..User::default()
        },
    );
    n8n.faults.push(("POST /rest/login", retry_after(429, 60)));
    let found = gate.get(&mut n8n, &orders(), START, &memory);
    assert_eq!(
        found,
        Found::Outage("rate_limited", Duration::from_secs(60))
    );
    gate.get(&mut n8n, &sales(), START, &memory).key();
    // The success of another user does not end it.
    let last = before(after(60_000));
    assert_eq!(gate.ask(&orders(), last).fault(), "rate_limited");
    assert!(matches!(
        gate.ask(&orders(), after(60_000)),
        Found::Waits(_)
    ));
}

#[test]
fn an_n8n_that_is_down_is_called_once_in_a_pause_that_grows() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    n8n.broken = Some(503);
    let mut gate = Gate::new(&provisioned());
    for half_seconds in 0..1200 {
        let now = after(half_seconds * 500);
        for name in ["orders", "sales", "ops", "hr", "it", "law"] {
            gate.ask(&request_of(name, &["workflow:list"]), now);
        }
        gate.run(&mut n8n, now, &memory);
    }
    // At most four at a time, in ten minutes.
    assert!(n8n.calls.len() <= 4 * 22, "{}", n8n.calls.len());
    assert!(n8n.calls.len() >= 10);
    n8n.broken = None;
    let now = after(660_000);
    gate.get(&mut n8n, &orders(), now, &memory).key();
}

#[test]
fn a_call_without_a_response_is_given_up() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.ask(&orders(), START);
    gate.tick(START, &memory);
    let call = gate.under_way.remove(0);
    let lost = START.saturating_add(TIMEOUT + Duration::from_secs(2));
    gate.tick(lost, &memory);
    assert!(gate.woken.is_empty());
    let lost = UnixMillis(lost.0 + 1);
    gate.tick(lost, &memory);
    assert_eq!(gate.woken, [1]);
    assert_eq!(gate.ask(&orders(), lost).fault(), "no_response");
    // What comes late changes nothing.
    let late = n8n.respond(&call.request, lost);
    gate.received(&call, late, lost, &memory);
    assert!(gate.under_way.is_empty());
    assert_eq!(gate.ask(&orders(), lost).fault(), "no_response");
}

/// n8n takes five log-ins of a user in a minute.
#[test]
fn a_failure_after_the_log_in_keeps_the_session() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let none = request_of("orders", &["tag:read"]);
    for second in 0..600 {
        gate.get(&mut n8n, &none, after(second * 1000), &memory);
        let fault = response(500, &json!({}));
        n8n.faults = vec![("POST /rest/api-keys", fault)];
        gate.get(&mut n8n, &orders(), after(second * 1000), &memory);
    }
    let log_ins = n8n.calls.iter();
    let log_ins = log_ins.filter(|call| call.contains("login") || call.contains("accept"));
    assert_eq!(log_ins.count(), 1);
}

#[test]
fn no_scope_that_the_user_can_have_is_a_fault_of_these_scopes_alone() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let none = request_of("orders", &["tag:read"]);
    let found = gate.get(&mut n8n, &none, START, &memory);
    assert_eq!(found.fault(), "no_scope");
    let fault = &gate.events[0];
    assert!(matches!(fault, Event::KeyFailed(_, email, _) if email == none.email()));
    // A caller of the same user with other scopes is not kept out, whatever the first one does.
    let key = gate.get(&mut n8n, &orders(), after(1), &memory).key();
    assert!(n8n.accepts(&key, after(1)));
    assert_eq!(gate.ask(&none, after(1)).fault(), "no_scope");
}
