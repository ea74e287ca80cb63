//! Keys that a run makes, leaves or changes.

use std::fs;

use serde_json::json;

use crate::desk::{
    body, changes, configuration, good, key_of_reports, lines, listed, raw_key, Desk, ALL,
};

#[test]
fn each_principal_gets_a_key_with_the_scopes_of_its_roles() {
    let desk = Desk::new(good(&[], &[])).with_file("# mine\nOTHER=1\n");
    let out = desk.succeeds(&ALL, &[]);
    assert!(!out.contains("c2lnbmF0dXJl"), "{out}");
    let key = raw_key("u-1", "newk");
    assert_eq!(
        desk.text(),
        format!("# mine\nOTHER=1\nN8N_KEY_REPORTS={key}\nN8N_KEY_ORDERS={key}\n")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(desk.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // n8n cannot give tag:list to a key of this user.
    assert!(
        out.contains("orders can be granted what this user can give to no key"),
        "{out}"
    );
    assert!(out.contains("tag:list"), "{out}");
    let requests = desk.requests();
    assert_eq!(changes(&requests), ["POST /rest/api-keys"; 2]);
    assert_eq!(*lines(&requests).last().unwrap(), "POST /rest/logout");
    let made = requests
        .iter()
        .filter(|one| one.starts_with("POST /rest/api-keys"));
    let made: Vec<_> = made.map(|one| body(one)).collect();
    assert_eq!(made[0]["label"], "n8n-idp-gate:reports");
    assert_eq!(made[0]["scopes"], json!(["workflow:list", "workflow:read"]));
    assert_eq!(made[1]["label"], "n8n-idp-gate:orders");
    assert_eq!(
        made[1]["scopes"],
        json!(["workflow:create", "workflow:read"])
    );
    // n8n 1 refuses two keys of one second with one end.
    assert_ne!(made[0]["expiresAt"], made[1]["expiresAt"]);
    assert!(made[0]["expiresAt"].as_u64().unwrap() > 1_700_000_000 + 90 * 24 * 3600);
    assert!(requests
        .iter()
        .skip(1)
        .all(|one| one.contains("cookie: n8n-auth=the-session")));
}

/// n8n 1 can give no key what it does not know, which is nothing to correct.
#[test]
fn a_key_has_scopes_of_its_line_of_n8n_alone() {
    for (version, scopes_are_missing) in [("2.41", true), ("1.123", false)] {
        let desk = Desk::new(good(&[], &[]));
        let mut older = configuration();
        older["n8n_version"] = version.into();
        older["roles"] = json!({"Reader": ["workflow:read", "workflow:list", "otel:manage"]});
        fs::write(desk.folder.path().join("gate.json"), older.to_string()).unwrap();
        let (is_good, out, err) = desk.run(&ALL);
        assert!(is_good, "{out}{err}");
        assert_eq!(out.contains("otel:manage"), scopes_are_missing, "{out}");
        let requests = desk.requests();
        let made = requests
            .iter()
            .rfind(|one| one.starts_with("POST /rest/api-keys"));
        let scopes = &body(made.unwrap())["scopes"];
        assert_eq!(*scopes, json!(["workflow:list", "workflow:read"]));
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let keys = [
        listed(
            "k1",
            "n8n-idp-gate:reports",
            "aaaa",
            &["workflow:read", "workflow:list"],
            true,
        ),
        // A person made this one, with other scopes. It stays as it is.
        listed("k2", "of a person", "bbbb", &["workflow:read"], true),
    ];
    let (one, two) = (raw_key("u-1", "aaaa"), raw_key("u-1", "bbbb"));
    let text = format!("N8N_KEY_REPORTS={one}\nexport N8N_KEY_ORDERS='{two}'\n");
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    desk.succeeds(
        &ALL,
        &[
            "N8N_KEY_REPORTS: is there, as n8n-idp-gate:reports, which ends in ",
            "N8N_KEY_ORDERS: is there, as of a person",
        ],
    );
    desk.changed_nothing();
    assert_eq!(desk.text(), text);
}

#[test]
fn a_dry_run_says_what_it_would_do() {
    let keys = [key_of_reports()];
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    desk.succeeds(
        &["gate.json", "--env-file", "keys.env", "--dry-run"],
        &[
            "would change the scopes of n8n-idp-gate:reports: +workflow:read",
            "N8N_KEY_ORDERS: would make the API key n8n-idp-gate:orders: ",
        ],
    );
    desk.changed_nothing();
    assert_eq!(desk.text(), text);
}

#[test]
fn a_key_of_the_program_follows_the_policy() {
    let keys = [
        listed(
            "k1",
            "n8n-idp-gate:reports",
            "aaaa",
            &["workflow:list", "workflow:create"],
            true,
        ),
        listed(
            "k2",
            "n8n-idp-gate:orders#3",
            "bbbb",
            &["workflow:create", "workflow:read"],
            true,
        ),
    ];
    // n8n has no key that ends in these letters any more, so that orders gets another generation.
    let (one, gone) = (raw_key("u-1", "aaaa"), raw_key("u-1", "cccc"));
    let text = format!("N8N_KEY_REPORTS={one}\nN8N_KEY_ORDERS={gone}\n");
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    desk.succeeds(
        &ALL,
        &[
            "changed the scopes of n8n-idp-gate:reports: +workflow:read -workflow:create",
            "made the API key n8n-idp-gate:orders#4 (n8n does not have",
        ],
    );
    let requests = desk.requests();
    assert_eq!(
        changes(&requests),
        ["PATCH /rest/api-keys/k1", "POST /rest/api-keys"]
    );
    let patched = requests
        .iter()
        .find(|one| one.starts_with("PATCH"))
        .unwrap();
    let expected =
        json!({"label": "n8n-idp-gate:reports", "scopes": ["workflow:list", "workflow:read"]});
    assert_eq!(body(patched), expected);
}

#[test]
fn a_key_whose_value_is_lost_or_of_another_user_is_left_to_a_person() {
    let keys = [key_of_reports()];
    let text = format!("N8N_KEY_ORDERS={}\n", raw_key("u-2", "dddd"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let says = [
        "2 of the keys could not be provided",
        "n8n shows a key once",
        "provision rotate CONFIG reports",
        "N8N_KEY_ORDERS holds a value that is no key",
    ];
    desk.fails(&ALL, &says);
    desk.changed_nothing();
    assert_eq!(desk.text(), text);
}

#[test]
fn one_principal_can_be_added_and_others_are_named() {
    let desk = Desk::new(good(&[], &[]));
    let add = |name| ["add", "gate.json", name, "--env-file", "keys.env"];
    desk.succeeds(&add("orders"), &[]);
    assert_eq!(
        desk.text(),
        format!("N8N_KEY_ORDERS={}\n", raw_key("u-1", "newk"))
    );
    desk.fails(&add("order"), &["There are: reports, orders"]);
}

#[test]
fn a_gate_that_makes_users_gets_its_own_key_and_a_seed_once() {
    let desk = Desk::new(good(&[], &[]));
    let mut minting = configuration();
    minting["n8n"] = json!({"cluster": "n8n", "api_key": {"env": "N8N_PROVISIONING_KEY"},
        "seed": {"env": "N8N_GATE_SEED"}});
    minting["principals"] =
        json!([{"name": "apps", "match": {"any": true}, "user": {"per": "client"}}]);
    fs::write(desk.folder.path().join("gate.json"), minting.to_string()).unwrap();
    let out = desk.succeeds(&ALL, &[]);
    let text = desk.text();
    let seed = text
        .lines()
        .find_map(|line| line.strip_prefix("N8N_GATE_SEED="))
        .unwrap();
    assert_eq!(seed.len(), 64);
    assert!(!out.contains(seed), "{out}");
    let requests = desk.requests();
    let made = requests
        .iter()
        .find(|one| one.starts_with("POST /rest/api-keys"))
        .unwrap();
    assert_eq!(body(made)["scopes"], json!(["user:create", "user:read"]));
    assert_eq!(body(made)["label"], "n8n-idp-gate");
    // The scripted n8n lists no key: so it is made again. The seed stays.
    desk.run(&ALL);
    assert!(desk.text().contains(seed));
}
