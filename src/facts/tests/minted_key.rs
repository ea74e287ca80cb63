//! API keys of n8n that the gate makes: how it comes to one.

use super::n8n::{N8n, User};
use super::provisioned::{activate, provisioned, request_of, scopes, Found, Gate, TIMEOUT, TTL};
use super::*;
use crate::facts::MintRequest;

const FIND: &str = "GET /api/v1/users/orders%40gate.invalid";
const INVITE: &str = "POST /api/v1/users";
const ACCEPT: &str = "POST /rest/invitations/accept";
const LOG_IN: &str = "POST /rest/login";
const SCOPES: &str = "GET /rest/api-keys/scopes";
const MAKE: &str = "POST /rest/api-keys";

fn orders() -> MintRequest {
    request_of("orders", &["workflow:list", "workflow:read", "tag:read"])
}

#[test]
fn a_new_user_takes_five_calls_and_its_key_has_what_the_caller_and_the_user_may() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    assert_eq!(gate.ask(&orders(), START), Found::Waits(1));
    gate.run(&mut n8n, START, &memory);
    assert_eq!(n8n.calls, [FIND, INVITE, ACCEPT, SCOPES, MAKE]);
    assert_eq!(gate.woken, [1]);
    assert_eq!(gate.events, [Event::KeyMinted(InstanceId(0))]);
    let key = gate.ask(&orders(), START).key();
    assert!(n8n.accepts(&key, START));
    assert_eq!(n8n.owner(&key), Some("orders@gate.invalid"));
    let made = n8n.keys.values().next().unwrap();
    assert_eq!(made.scopes, ["workflow:list", "workflow:read"]);
    assert_eq!(made.expires, START.to_seconds().0 + TTL.as_secs());
    let user = &n8n.users["orders@gate.invalid"];
    assert_eq!(user.names, ["Client", "orders"]);
    assert_eq!(user.password.as_ref().unwrap().len(), 45);
    // Another request takes no call.
    gate.run(&mut n8n, after(1), &memory);
    assert_eq!(gate.ask(&orders(), after(1)).key(), key);
    assert_eq!(n8n.calls.len(), 5);
}

#[test]
fn every_call_goes_to_the_server_of_n8n_with_the_credential_of_its_part() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.ask(&orders(), START);
    gate.tick(START, &memory);
    let mut seen = Vec::new();
    while let Some(call) = gate.under_way.first() {
        let request = &call.request;
        assert_eq!(
            (&*request.endpoint.cluster, &*request.endpoint.authority),
            ("n8n", "n8n:5678")
        );
        assert_eq!(request.timeout, TIMEOUT);
        let names: Vec<_> = request.headers.iter().map(|(name, _)| *name).collect();
        seen.push(names);
        gate.respond(&mut n8n, START, &memory);
    }
    let (key, cookie) = (vec!["x-n8n-api-key"], vec!["cookie"]);
    assert_eq!(seen, [key.clone(), key, vec![], cookie.clone(), cookie]);
}

#[test]
fn a_user_that_is_there_logs_in_and_one_that_was_invited_is_invited_again() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    assert_eq!(n8n.calls, [FIND, LOG_IN, SCOPES, MAKE]);

    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let email = orders().email().to_owned();
    n8n.users.insert(email, User::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    assert_eq!(n8n.calls, [FIND, INVITE, ACCEPT, SCOPES, MAKE]);
}

#[test]
fn a_second_set_of_scopes_takes_two_calls_because_the_session_is_kept() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let first = gate.get(&mut n8n, &orders(), START, &memory).key();
    n8n.calls.clear();
    let other = request_of("orders", &["workflow:create"]);
    let second = gate.get(&mut n8n, &other, after(1), &memory).key();
    assert_eq!(n8n.calls, [SCOPES, MAKE]);
    assert_ne!(first, second);
    assert_eq!(
        n8n.keys.values().last().unwrap().scopes,
        ["workflow:create"]
    );
    assert_eq!(gate.ask(&orders(), after(1)).key(), first);
}

#[test]
fn a_key_for_all_scopes_has_those_that_the_gate_does_not_know_too() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &request_of("orders", &["*"]), START, &memory)
        .key();
    let made = n8n.keys.values().next().unwrap();
    assert!(made.scopes.contains(&"later:scope".to_owned()));
}

#[test]
fn labels_are_short_and_differ() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    for scope in ["workflow:list", "workflow:read", "workflow:create"] {
        let request = request_of("orders", &[scope]);
        gate.get(&mut n8n, &request, START, &memory).key();
    }
    let labels: BTreeSet<_> = n8n.keys.values().map(|key| key.label.clone()).collect();
    assert_eq!(labels.len(), 3);
    for label in labels {
        assert!(label.starts_with("n8n-idp-gate "), "{label}");
        assert!(label.len() <= crate::n8n::accounts::MAX_LABEL, "{label}");
    }
}

#[test]
fn a_gate_that_loses_a_race_goes_on_with_what_is_there() {
    let race = |path, status, before: &dyn Fn(&mut N8n)| {
        let (memory, mut n8n) = (Memory::default(), N8n::default());
        let mut gate = Gate::new(&provisioned());
        gate.ask(&orders(), START);
        gate.tick(START, &memory);
        while let Some(call) = gate.under_way.first() {
            let label = format!(
                "{} {}",
                call.request.method.as_str(),
                call.request.endpoint.path
            );
            if label == path && !n8n.calls.contains(&label) {
                before(&mut n8n);
                n8n.faults.push((path, response(status)));
            }
            gate.respond(&mut n8n, START, &memory);
        }
        gate.ask(&orders(), START).key();
        n8n.calls
    };
    // Another gate made the user, and the database allows one of them.
    let calls = race(INVITE, 500, &|n8n| activate(n8n, &orders()));
    assert_eq!(calls, [FIND, INVITE, FIND, LOG_IN, SCOPES, MAKE]);
    // It has invited the user, who has no password yet.
    let calls = race(INVITE, 500, &|n8n| {
        n8n.users
            .insert(orders().email().to_owned(), User::default());
    });
    let expected = [FIND, INVITE, FIND, INVITE, ACCEPT, SCOPES, MAKE];
    assert_eq!(calls, expected);
    // It has accepted the invitation.
    let calls = race(ACCEPT, 400, &|n8n| activate(n8n, &orders()));
    assert_eq!(calls, [FIND, INVITE, ACCEPT, LOG_IN, SCOPES, MAKE]);
    // Its acceptance came later than this one, so that this session does not count.
    let calls = race(SCOPES, 401, &|_| {});
    let expected = [FIND, INVITE, ACCEPT, SCOPES, LOG_IN, SCOPES, MAKE];
    assert_eq!(calls, expected);
}

#[test]
fn a_user_that_got_its_password_between_two_calls_logs_in() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.ask(&orders(), START);
    gate.tick(START, &memory);
    gate.respond(&mut n8n, START, &memory);
    activate(&mut n8n, &orders());
    while !gate.under_way.is_empty() {
        gate.respond(&mut n8n, START, &memory);
    }
    assert_eq!(n8n.calls, [FIND, INVITE, LOG_IN, SCOPES, MAKE]);
}

#[test]
fn a_response_that_accepts_without_a_session_is_followed_by_a_log_in() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    n8n.late_faults.push((ACCEPT, response(200)));
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    assert_eq!(n8n.calls, [FIND, INVITE, ACCEPT, LOG_IN, SCOPES, MAKE]);
}

/// A lost database or a changed `N8N_ENCRYPTION_KEY`.
#[test]
fn a_session_that_n8n_forgot_is_replaced() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    let other = request_of("orders", &["workflow:create"]);
    n8n.calls.clear();
    n8n.change_secret();
    gate.get(&mut n8n, &other, after(1), &memory).key();
    // The provisioning key is good no more, and not needed.
    assert_eq!(n8n.calls, [SCOPES, LOG_IN, SCOPES, MAKE]);
    n8n.calls.clear();
    n8n.wipe();
    n8n.refuses_provisioning_key = false;
    let other = request_of("orders", &["workflow:list"]);
    gate.get(&mut n8n, &other, after(2), &memory).key();
    let expected = [SCOPES, LOG_IN, FIND, INVITE, ACCEPT, SCOPES, MAKE];
    assert_eq!(n8n.calls, expected);
}

#[test]
fn users_have_keys_of_their_own_and_no_request_gets_that_of_another_user() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    for name in ["orders", "sales"] {
        let request = request_of(name, &["workflow:list"]);
        let key = gate.get(&mut n8n, &request, START, &memory).key();
        assert_eq!(n8n.owner(&key), Some(request.email()));
    }
}

#[test]
fn keys_for_four_users_are_made_at_a_time() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let requests: Vec<_> = (0..20)
        .map(|number| request_of(&format!("app-{number}"), &["workflow:list"]))
        .collect();
    for request in &requests {
        gate.ask(request, START);
    }
    gate.tick(START, &memory);
    assert_eq!(gate.under_way.len(), 4);
    for _ in 0..500 {
        gate.tick(START, &memory);
        assert!(gate.under_way.len() <= 4);
        if !gate.under_way.is_empty() {
            gate.respond(&mut n8n, START, &memory);
        }
    }
    assert_eq!(gate.woken.len(), 20);
    for request in &requests {
        gate.ask(request, START).key();
    }
    assert_eq!(n8n.calls.len(), 100);
}

#[test]
fn one_user_has_sixteen_sets_of_scopes_and_one_gate_a_thousand_users() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let tags = [
        "tag:list",
        "tag:read",
        "tag:create",
        "tag:update",
        "tag:delete",
    ];
    let request = |number: usize| {
        let bits = (0..5).filter(|bit| number >> bit & 1 == 1);
        let mut all: Vec<_> = bits.map(|bit| tags[bit]).collect();
        all.push("workflow:list");
        MintRequest::new(InstanceId(0), user(), scopes(&all))
    };
    for number in 0..16 {
        gate.get(&mut n8n, &request(number), START, &memory).key();
    }
    assert_eq!(gate.ask(&request(16), START), Found::TooMany);
    // When the others have expired, there is room.
    let later = START.saturating_add(TTL);
    gate.run(&mut n8n, later, &memory);
    gate.get(&mut n8n, &request(16), later, &memory).key();

    let mut gate = Gate::new(&provisioned());
    for number in 0..1024 {
        let request = request_of(&format!("app-{number}"), &["workflow:list"]);
        gate.get(&mut n8n, &request, START, &Memory::default())
            .key();
    }
    let request = request_of("app-1024", &["workflow:list"]);
    assert_eq!(gate.ask(&request, START), Found::TooMany);
    gate.tick(later, &memory);
    assert!(matches!(gate.ask(&request, later), Found::Waits(_)));
}

fn user() -> crate::policy::N8nUser {
    crate::policy::N8nUser {
        email: orders().email().to_owned(),
        first_name: "Client".to_owned(),
        last_name: "orders".to_owned(),
    }
}

fn response(status: u16) -> CallResponse {
    n8n::response(status, &serde_json::json!({}))
}
