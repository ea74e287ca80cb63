//! Names of roles and scopes in tokens of Keycloak: no name passes for another one.

use serde_json::{json, Value};

use crate::gate::{claims, policy, token_of, Gate, ADMIN, READER};
use crate::support::http::Request;

const WORKFLOWS: &str = "/api/v1/workflows";
const TAGS: &str = "/api/v1/tags";
const USERS: &str = "/api/v1/users";
const WEBHOOK: &str = "/webhook/orders/new";

/// Each role is spelled as the gate writes it: client, colon, role. Colons and percent signs within
/// a name are encoded.
fn keycloak(roles_from: &str) -> Value {
    let mut policy = policy();
    policy["providers"][0]["type"] = json!("keycloak");
    policy["providers"][0]["roles_from"] = json!(roles_from);
    policy["roles"] = json!({
        "n8n:admin": ["*"],
        "a:b%3Ac": ["workflow:list"],
        "a%3Ab:c": ["tag:list"],
        READER: ["workflow:list"],
        ADMIN: ["*"],
    });
    policy["webhooks"] = json!([
        { "path": "/webhook/orders/**", "require": { "roles": ["n8n:admin", ADMIN] } },
    ]);
    policy
}

/// The token that Keycloak issues to `app-a` with these members.
fn token(members: &Value) -> String {
    let mut changes = json!({ "roles": null, "typ": "Bearer" });
    for (name, value) in members.as_object().unwrap() {
        changes[name] = value.clone();
    }
    token_of(&claims("app-a", &[], &changes))
}

/// The paths that a token opens.
fn opened(gate: &Gate, token: &str) -> Vec<&'static str> {
    let opens = |path: &&str| {
        let response = Request::get(path)
            .bearer(token)
            .send(gate.envoy.port())
            .unwrap();
        let (status, reason) = response.refusal();
        let refusals = [json!("insufficient_scope"), json!("webhook_requirement")];
        let is_refused = status == 403 && refusals.contains(&reason);
        assert!(is_refused || status == 200, "{path}: {}", response.text());
        assert_eq!(
            gate.recorder.take().len(),
            usize::from(!is_refused),
            "{path}"
        );
        !is_refused
    };
    [WORKFLOWS, TAGS, USERS, WEBHOOK]
        .into_iter()
        .filter(opens)
        .collect()
}

#[test]
fn no_role_of_the_realm_or_of_another_client_grants_what_a_role_of_a_client_grants() {
    let gate = Gate::with(keycloak("roles"), |setup| setup);
    let realm = |roles: &[&str]| json!({ "realm_access": { "roles": roles } });
    let client =
        |client: &str, role: &str| json!({ "resource_access": { client: { "roles": [role] } } });
    let everything = [WORKFLOWS, TAGS, USERS, WEBHOOK];
    for (members, expected) in [
        (client("n8n", "admin"), &everything[..]),
        (client("a", "b:c"), &[WORKFLOWS]),
        (client("a:b", "c"), &[TAGS]),
        (realm(&[READER]), &[WORKFLOWS]),
        // These spell the name of a role of a client, before or after it is encoded.
        (
            realm(&["n8n:admin", "a:b:c", "a:b%3Ac", "a%3Ab:c", "n8n%3Aadmin"]),
            &[],
        ),
        (client("", "n8n:admin"), &[]),
        (client("n8n:", "admin"), &[]),
        (client("n8n", ":admin"), &[]),
        (client("a", "b%3Ac"), &[]),
        (client("a%3Ab", "c"), &[]),
        (client("a:b:c", ""), &[]),
        (client(READER, ""), &[]),
        (client("", ADMIN), &[]),
        // In the claim of other vendors.
        (json!({ "roles": ["n8n:admin", ADMIN] }), &[]),
        (json!({ "realm_access": ["n8n:admin", ADMIN] }), &[]),
    ] {
        assert_eq!(opened(&gate, &token(&members)), expected, "{members}");
    }
}

#[test]
fn a_scope_with_the_name_of_a_role_grants_nothing_where_roles_come_from_roles() {
    let scope = format!("openid n8n:admin {ADMIN} {READER} a:b%3Ac");
    let members = json!({ "scope": scope, "scp": [ADMIN, "n8n:admin"] });
    let gate = Gate::with(keycloak("roles"), |setup| setup);
    assert_eq!(opened(&gate, &token(&members)), [""; 0]);
    // The same token, where the operator lets scopes count. A rule on roles never reads scopes.
    let gate = Gate::with(keycloak("both"), |setup| setup);
    assert_eq!(opened(&gate, &token(&members)), [WORKFLOWS, TAGS, USERS]);
}
