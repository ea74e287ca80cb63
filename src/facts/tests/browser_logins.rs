//! Log-ins of browsers.

use super::n8n::{response, N8n};
use super::provisioned::{activate, provisioned, request_of, Gate};
use super::*;
use crate::facts::LoginRequest;
use crate::policy::{Embed, N8nUser};

const FIND: &str = "GET /api/v1/users/ada%40gate.invalid";
const INVITE: &str = "POST /api/v1/users";
const ACCEPT: &str = "POST /rest/invitations/accept";
const LOG_IN: &str = "POST /rest/login";
const NAME: &str = "PATCH /rest/me";

fn login(token: &str) -> LoginRequest {
    let user = N8nUser {
        email: "ada@gate.invalid".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
    };
    LoginRequest::new(InstanceId(0), user, token.as_bytes())
}

fn gate() -> Gate {
    let mut policy = provisioned();
    let mut instances: Vec<Instance> = policy.instances.iter().cloned().collect();
    instances[0].embed = Some(Arc::new(Embed::new(true, std::iter::empty())));
    policy.instances = Instances::only(instances.remove(0));
    Gate::new(&policy)
}

/// A request comes, waits, and is decided again.
fn get(
    gate: &mut Gate,
    n8n: &mut N8n,
    login: &LoginRequest,
    now: UnixMillis,
) -> Result<String, String> {
    let memory = Memory::default();
    let known = |gate: &Gate| match gate.store.at(now).browser_login(login) {
        Availability::Known(cookie) => Some(Ok(cookie.expose().to_owned())),
        Availability::Unavailable(outage) => Some(Err(outage.fault.unwrap_or_default().to_owned())),
        Availability::Pending => None,
    };
    if let Some(found) = known(gate) {
        return found;
    }
    let fact = Fact::BrowserLogin(Arc::new(login.clone()));
    let waiter = WaiterId(gate.woken.len() as u32 + 1);
    gate.store
        .admit(waiter, &fact, now, Origin::default(), now)
        .unwrap();
    gate.run(n8n, now, &memory);
    assert!(gate.woken.contains(&waiter.0), "it is woken");
    known(gate).expect("it is decided")
}

#[test]
fn a_new_user_is_made_with_its_name_and_logs_in() {
    let (mut gate, mut n8n) = (gate(), N8n::default());
    let cookie = get(&mut gate, &mut n8n, &login("t-1"), START).unwrap();
    assert_eq!(n8n.calls, [FIND, INVITE, ACCEPT, LOG_IN]);
    assert_eq!(n8n.user_in(&cookie), Some("ada@gate.invalid"));
    assert_eq!(n8n.users["ada@gate.invalid"].names, ["Ada", "Lovelace"]);
    assert_eq!(gate.events, [Event::LoggedIn(InstanceId(0))]);
}

#[test]
fn each_log_in_has_a_session_of_its_own_and_the_name_follows_the_token() {
    let (mut gate, mut n8n) = (gate(), N8n::default());
    activate(&mut n8n, &request_of("ada", &[]));
    let first = get(&mut gate, &mut n8n, &login("t-1"), START).unwrap();
    assert_eq!(n8n.calls, [FIND, LOG_IN, NAME]);
    assert_eq!(n8n.users["ada@gate.invalid"].names, ["Ada", "Lovelace"]);
    n8n.calls.clear();
    let second = get(&mut gate, &mut n8n, &login("t-2"), after(1)).unwrap();
    assert_eq!(n8n.calls, [FIND, LOG_IN]);
    assert_ne!(first, second);
    // The gate's own session is another one.
    let memory = Memory::default();
    let request = request_of("ada", &["workflow:list"]);
    let own = gate
        .get_session(&mut n8n, &request, after(2), &memory)
        .session();
    assert!(own != first && own != second);
    // A request that came with the first token once more finds what it made; the token is refused there.
    let again = get(&mut gate, &mut n8n, &login("t-1"), after(3)).unwrap();
    assert_eq!(again, first);
    gate.tick(after(200_000), &memory);
    assert!(matches!(
        gate.store.at(after(200_000)).browser_login(&login("t-1")),
        Availability::Pending
    ));
}

#[test]
fn a_name_that_n8n_does_not_take_keeps_no_browser_out() {
    let (mut gate, mut n8n) = (gate(), N8n::default());
    activate(&mut n8n, &request_of("ada", &[]));
    n8n.faults
        .push((NAME, response(400, &serde_json::json!({}))));
    get(&mut gate, &mut n8n, &login("t-1"), START).unwrap();
}

#[test]
fn what_keeps_a_user_out_is_the_fault_of_its_log_in_alone() {
    for (call, fault, code) in [
        (
            LOG_IN,
            response(401, &serde_json::json!({"code": 401})),
            "user_password",
        ),
        (
            LOG_IN,
            response(401, &serde_json::json!({"code": 998})),
            "user_second_factor",
        ),
        (LOG_IN, retry_after(429, 60), "rate_limited"),
        (
            LOG_IN,
            response(200, &serde_json::json!({})),
            "answer_malformed",
        ),
        (FIND, response(500, &serde_json::json!({})), "server_error"),
    ] {
        let (mut gate, mut n8n) = (gate(), N8n::default());
        activate(&mut n8n, &request_of("ada", &[]));
        n8n.faults.push((call, fault));
        let found = get(&mut gate, &mut n8n, &login("t-1"), START);
        assert_eq!(found.unwrap_err(), code);
        // Another log-in is not concerned.
        get(&mut gate, &mut n8n, &login("t-2"), after(1)).unwrap();
    }
    let (mut gate, mut n8n) = (gate(), N8n::default());
    n8n.refuses_provisioning_key = true;
    let found = get(&mut gate, &mut n8n, &login("t-1"), START);
    assert_eq!(found.unwrap_err(), "client_refused");
    let other = gate.store.at(START);
    assert!(matches!(
        other.browser_login(&login("t-2")),
        Availability::Unavailable(_)
    ));
}

#[test]
fn log_ins_are_bounded() {
    let (mut gate, mut n8n) = (gate(), N8n::default());
    activate(&mut n8n, &request_of("ada", &[]));
    let memory = Memory::default();
    let mut refused = 0;
    for number in 0..200_u32 {
        let fact = Fact::BrowserLogin(Arc::new(login(&number.to_string())));
        let found = gate
            .store
            .admit(WaiterId(number), &fact, START, Origin::default(), START);
        refused += u32::from(found.is_err());
    }
    assert_eq!(refused, 72);
    gate.tick(START, &memory);
    assert_eq!(gate.under_way.len(), 4);
    gate.run(&mut n8n, after(1), &memory);
}
