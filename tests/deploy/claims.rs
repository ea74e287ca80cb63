//! Numbers, names and versions in the documentation, compared with the code.

use std::collections::BTreeSet;

use n8n_idp_gate::crypto::SkipReason;
use n8n_idp_gate::decide::{IDENTITY_HEADERS, MAX_CACHED_BYTES, MAX_CACHED_TOKENS};
use n8n_idp_gate::n8n::{Line, Operation};
use n8n_idp_gate::reply::Reason;
use serde_json::Value;

use super::plugin::Plugin;
use super::repository::{documents, files};

fn text(name: &str) -> String {
    let ending = name.rsplit('.').next().unwrap();
    let file = files(&[ending]).into_iter().find(|file| file.name == name);
    file.unwrap_or_else(|| panic!("there is no {name}")).text
}

#[test]
fn every_identity_header_is_listed() {
    let page = text("docs/reference/behaviour.md");
    let section = page.split("## Identity headers").nth(1).unwrap();
    let table = section.split("\n\nEverything").next().unwrap();
    let named: BTreeSet<&str> = table
        .split('`')
        .filter(|word| word.starts_with("x-auth-"))
        .collect();
    assert_eq!(named, BTreeSet::from(IDENTITY_HEADERS));
}

#[test]
fn the_operations_are_counted() {
    let in_line = |line| Operation::all().filter(move |one| one.lines().contain(line));
    let count = |line| in_line(line).count();
    let differing = in_line(Line::V1_123).filter(|one| !one.lines().contain(Line::V2_41));
    let page = text("docs/reference/behaviour.md");
    for claim in [
        format!("[{} operations]", count(Line::V2_41)),
        format!("n8n 1.123 has {}", count(Line::V1_123)),
        "of which six need other".to_owned(),
    ] {
        assert!(page.contains(&claim), "{claim}");
    }
    assert_eq!(differing.count(), 6);
}

#[test]
fn the_limits_are_the_bounds_of_the_code() {
    let limits = text("docs/reference/limits.md");
    let mib = MAX_CACHED_BYTES / (1024 * 1024);
    let remembers = format!("remembers up to {MAX_CACHED_TOKENS} verified tokens, in {mib} MiB");
    assert!(limits.contains(&remembers), "{remembers}");
    let bits = |reason: SkipReason| {
        let words = reason.to_string();
        let mut numbers = words.split(' ').filter_map(|word| word.parse::<u32>().ok());
        numbers.next().unwrap()
    };
    let (least, most) = (bits(SkipReason::TooWeak), bits(SkipReason::TooLarge));
    let keys = format!("RSA keys of {least} to {most} bits");
    assert!(limits.contains(&keys), "{keys}");
}

#[test]
fn every_status_is_listed() {
    let page = text("docs/reference/behaviour.md");
    let section = page.split("## Refusals").nth(1).unwrap();
    let table = section.split("\n\nThe body").next().unwrap();
    for reason in Reason::examples() {
        let row = format!("\n| {} |", reason.status());
        assert!(table.contains(&row), "{}{row}", reason.as_str());
    }
}

#[test]
fn the_troubleshooting_guide_names_reasons_that_exist() {
    let known: BTreeSet<&str> = Reason::examples().iter().map(Reason::as_str).collect();
    let guide = text("docs/guides/troubleshooting.md");
    let mut in_reasons = false;
    let mut named = BTreeSet::new();
    for line in guide.lines() {
        in_reasons = (in_reasons || line.starts_with("| reason |")) && line.starts_with('|');
        let first = line.split('|').nth(1).unwrap_or_default();
        if in_reasons {
            named.extend(first.split('`').skip(1).step_by(2));
        }
    }
    assert!(named.len() > 25, "{named:?}");
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The tested versions, those in the compose files, and those in the README.
#[test]
fn every_file_names_the_same_versions() {
    let installed: Value = serde_json::from_str(&text("tests/real/n8n/package.json")).unwrap();
    let n8n = installed["dependencies"]["n8n"].as_str().unwrap();
    let version = |script: &str| {
        let script = text(script);
        let mut lines = script.lines();
        let line = lines.find_map(|line| line.strip_prefix("version="));
        line.unwrap().to_owned()
    };
    let minor = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
    let envoy = version("scripts/install-envoy.sh");
    let keycloak = version("scripts/install-keycloak.sh");
    let compose = &documents("compose", &text("deploy/compose/docker-compose.yaml"))[0];
    assert_eq!(
        compose["services"]["n8n"]["image"],
        format!("n8nio/n8n:{n8n}")
    );
    assert_eq!(
        compose["services"]["envoy"]["image"],
        format!("envoyproxy/envoy:v{envoy}")
    );
    assert_eq!(
        compose["services"]["keycloak"]["image"],
        format!("quay.io/keycloak/keycloak:{keycloak}")
    );
    for claim in [
        format!("Tested with n8n {n8n} and Envoy {},", minor(&envoy)),
        format!("tokens of Keycloak {},", minor(&keycloak)),
    ] {
        assert!(text("README.md").contains(&claim), "{claim}");
    }
}

#[test]
fn compose_gives_keycloak_the_issuer_that_the_gate_expects() {
    let compose = &documents("compose", &text("deploy/compose/docker-compose.yaml"))[0];
    let realm = &documents("realm", &text("deploy/compose/realm.json"))[0];
    let hostname = &compose["services"]["keycloak"]["environment"]["KC_HOSTNAME"];
    let issuer = format!(
        "issuer: {}/realms/{}\n",
        hostname.as_str().unwrap(),
        realm["realm"].as_str().unwrap()
    );
    let envoy = text("deploy/compose/listener.yaml");
    assert!(envoy.contains(&issuer), "{issuer}");
    // As in the guide: n8n is a client without any flow, and it is the audience of the callers'
    // tokens. Introspection responses have it too, because Keycloak reports the status of a token
    // only to a client in its audience.
    let clients = realm["clients"].as_array().unwrap();
    let (n8n, callers): (Vec<_>, Vec<_>) = clients
        .iter()
        .partition(|client| client["clientId"] == "n8n");
    for flow in [
        "publicClient",
        "serviceAccountsEnabled",
        "standardFlowEnabled",
        "implicitFlowEnabled",
        "directAccessGrantsEnabled",
    ] {
        assert_eq!(n8n[0][flow], false, "{flow}");
    }
    assert!(envoy.contains("audiences: [n8n]\n"));
    assert_eq!(callers.len(), 2);
    // A new client of the realm needs no change of the policy.
    assert!(envoy.contains("match: { kind: app }\n"));
    for client in callers {
        assert_eq!(client["serviceAccountsEnabled"], true);
        let mapper = &client["protocolMappers"][0];
        assert_eq!(mapper["protocolMapper"], "oidc-audience-mapper");
        let config = &mapper["config"];
        assert_eq!(config["included.client.audience"], "n8n");
        assert_eq!(config["included.custom.audience"], Value::Null);
        assert_eq!(config["access.token.claim"], "true");
        assert_eq!(config["introspection.token.claim"], "true");
        // Secrets come from the environment.
        assert!(client["secret"].as_str().unwrap().starts_with("${"));
    }
    for role in realm["roles"]["realm"].as_array().unwrap() {
        let mapped = format!("{}: [", role["name"].as_str().unwrap());
        assert!(envoy.contains(&mapped), "{mapped}");
    }
}

/// The table of the guide has the shipped alerts, in their order.
#[test]
fn the_guide_lists_every_alert() {
    let file = &documents("alerts", &text("deploy/prometheus/alerts.yaml"))[0];
    let rules = file["groups"][0]["rules"].as_array().unwrap();
    let shipped: Vec<&str> = rules
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap())
        .collect();
    let guide = text("docs/guides/operation.md");
    let rows = guide.split("| alert | what to do |").nth(1).unwrap();
    let named: Vec<&str> = rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    assert_eq!(named, shipped);
}

/// The alert's threshold is between the default `max_ttl` and the default `max_stale`.
#[test]
fn the_alert_on_old_keys_fires_after_they_are_due_and_before_max_stale() {
    let alerts = text("deploy/prometheus/alerts.yaml");
    let threshold = alerts
        .split("n8n_idp_gate_key_set_age_seconds > ")
        .nth(1)
        .unwrap();
    let threshold: u64 = threshold.lines().next().unwrap().parse().unwrap();
    let envoy = &documents("envoy.yaml", &text("envoy.yaml"))[0];
    let plugin = Plugin::all_in(envoy).remove(0);
    let freshness = plugin.load().unwrap().policy.providers[0].freshness.clone();
    assert!(threshold >= 2 * freshness.max_ttl.as_secs());
    assert!(threshold < freshness.max_stale.as_secs());
}
