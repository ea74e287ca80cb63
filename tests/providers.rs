//! Every provider that has a guide: its configuration in the guide and tokens as that provider
//! makes them, with made-up values and signed with keys of our own, through the whole decision.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "support/environment.rs"]
mod environment;
#[path = "support/mint.rs"]
mod mint;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use environment::Variables;
use mint::{mint, KeyKind};
use n8n_idp_gate::config::{self, yaml};
use n8n_idp_gate::crypto::{GuestCrypto, KeySet};
use n8n_idp_gate::decide::{decide, Decision, DecisionContext, Outcome, Request, TokenCache};
use n8n_idp_gate::facts::{
    Availability, Facts, KeyIdDigest, LoginRequest, MintRequest, NewerKeys, TokenStatus,
};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::observe::audit_line;
use n8n_idp_gate::policy::{KeySource, Policy, ProviderId};
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::{UnixMillis, UnixSeconds};
use n8n_idp_gate::token::TokenDigest;
use serde_json::{json, Value};

/// When the tokens are used; they were issued five minutes before.
const NOW: u64 = 1_800_000_000;

/// One token of a provider.
struct Token {
    what: String,
    /// Which configuration of the guide it is for.
    configuration: usize,
    header: Value,
    claims: Value,
    /// What the provider's key says beside its numbers.
    key: Value,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn guides() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder("docs/guides/providers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "README")
        .collect();
    names.sort();
    names
}

/// The configurations of a guide.
fn configurations(guide: &str) -> Vec<Value> {
    let path = folder("docs/guides/providers").join(format!("{guide}.md"));
    let page = fs::read_to_string(path).unwrap();
    page.split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .map(|block| serde_json::from_slice(&yaml::to_json(block).unwrap()).unwrap())
        .filter(|block: &Value| block.get("providers").is_some())
        .collect()
}

fn tokens(guide: &str) -> Vec<Token> {
    let path = folder("tests/providers").join(format!("{guide}.json"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let tokens: Vec<Value> = serde_json::from_str(&text).unwrap();
    let token = |token: Value| Token {
        what: token["what"].as_str().unwrap().to_owned(),
        configuration: token["configuration"]
            .as_u64()
            .map_or(0, |at| usize::try_from(at).unwrap_or(usize::MAX)),
        header: token["header"].clone(),
        claims: token["claims"].clone(),
        key: token.get("key").cloned().unwrap_or(json!({})),
    };
    tokens.into_iter().map(token).collect()
}

/// A configuration of the guide, with the key of the token in place of the provider's own.
fn policy(mut configuration: Value, token: &Token) -> Policy {
    let mut jwk = mint(KeyKind::Rsa2048).jwk(token.header["kid"].as_str().unwrap());
    for (name, value) in token.key.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    for fetched in [
        "cluster",
        "jwks_cluster",
        "jwks_uri",
        "discovery_uri",
        "keys",
    ] {
        provider.remove(fetched);
    }
    provider.insert("jwks".to_owned(), json!({ "keys": [jwk] }));
    if let Some(asked) = provider.get_mut("introspection") {
        asked["cluster"] = json!("asked");
    }
    let loaded = config::load(configuration.to_string().as_bytes(), &Variables::All);
    loaded.unwrap_or_else(|errors| panic!("{errors}")).policy
}

struct InlineKeys<'p>(&'p Policy);

impl Facts for InlineKeys<'_> {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        match &self.0.providers[provider.0].keys {
            KeySource::Inline(keys) => Availability::Known(keys),
            _ => panic!("keys that would be fetched"),
        }
    }

    fn may_have_changed(&self, _: ProviderId, _: &dyn Fn() -> KeyIdDigest) -> bool {
        false
    }

    fn newer_keys(&self, _: ProviderId, _: KeyIdDigest) -> NewerKeys {
        NewerKeys::Unlikely
    }

    /// What is asked about was revoked.
    fn token_status_to_decide(&self, _: ProviderId, _: &TokenDigest) -> Availability<TokenStatus> {
        Availability::Known(TokenStatus::Inactive)
    }

    fn minted_key(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn session(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn browser_login(&self, _: &LoginRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn is_refused(&self, _: &Secret) -> bool {
        false
    }
}

fn decided(token: &Token, configuration: Value) -> (Decision, RequestHead) {
    let policy = policy(configuration, token);
    let compact = mint(KeyKind::Rsa2048).sign(&token.header, &token.claims);
    let request = RequestHead::new(vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), b"/api/v1/workflows".to_vec()),
        (":authority".to_owned(), b"n8n.example.com".to_vec()),
        (
            "authorization".to_owned(),
            format!("Bearer {compact}").into_bytes(),
        ),
    ]);
    let context = DecisionContext {
        revocations: &n8n_idp_gate::decide::NoRevocations,
        nonces: None,
        is_recorded: true,
        policy: &policy,
        facts: &InlineKeys(&policy),
        token_cache: &TokenCache::default(),
        crypto: &GuestCrypto,
        now: UnixSeconds(NOW),
    };
    (decide(context, Request::of_head(&request)), request)
}

/// What became of a token, in words.
fn described(token: &Token, configuration: Value) -> String {
    let (decision, request) = decided(token, configuration);
    let mut text = format!("{}\n", token.what);
    let record = &decision.record;
    match &decision.outcome {
        Outcome::Forward(_) => {
            let principal = record.principal.as_deref().unwrap();
            writeln!(text, "  goes on as {principal}").unwrap();
        }
        Outcome::Reject(reason) => {
            writeln!(
                text,
                "  refused: {} {}",
                reason.as_str(),
                reason.fault().unwrap_or_default()
            )
            .unwrap();
        }
        other => panic!("{}: {other:?}", token.what),
    }
    let line = audit_line(&decision, &request, UnixMillis(NOW * 1000));
    let line: Value = serde_json::from_str(&line).unwrap();
    if let Some(hint) = line.get("hint") {
        writeln!(text, "  hint: {}", hint.as_str().unwrap()).unwrap();
    }
    if let Some(identity) = &record.identity {
        let mut say = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                writeln!(text, "  {name}: {value}").unwrap();
            }
        };
        say("kind", Some(identity.kind.as_str()));
        say("client", identity.client.as_deref());
        say("subject", identity.subject.as_deref());
        say("tenant", identity.tenant.as_deref());
        say("e-mail", identity.verified_email.as_deref());
        say("scopes", Some(&identity.scopes.join(", ")));
        say("roles", Some(&identity.roles.join(", ")));
        say("groups", Some(&identity.groups.join(", ")));
        if identity.groups_left_out {
            say("groups", Some("more than the token holds"));
        }
    }
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn tokens_of_every_provider_are_read_as_its_guide_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("providers");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for guide in guides() {
        let configurations = configurations(&guide);
        let mut used = BTreeSet::new();
        let mut text = String::new();
        for token in tokens(&guide) {
            used.insert(token.configuration);
            let configuration = configurations[token.configuration].clone();
            writeln!(text, "{}", described(&token, configuration)).unwrap();
        }
        assert_eq!(
            used.len(),
            configurations.len(),
            "{guide}: each is shown by a token"
        );
        settings.bind(|| insta::assert_snapshot!(guide.as_str(), text.trim_end()));
    }
}

/// For each token that goes on: with another audience, and with none, it does not.
#[test]
fn no_provider_s_token_for_another_audience_is_forwarded() {
    let mut tried = 0;
    for guide in guides() {
        let configurations = configurations(&guide);
        for mut token in tokens(&guide) {
            let configuration = &configurations[token.configuration];
            let (decision, _) = decided(&token, configuration.clone());
            if !matches!(decision.outcome, Outcome::Forward(_)) {
                continue;
            }
            token.claims["aud"] = json!("https://another-service.example");
            let (decision, _) = decided(&token, configuration.clone());
            assert_eq!(
                refusal(&decision),
                Some("wrong_audience"),
                "{guide}: {}",
                token.what
            );
            if configuration["providers"][0]
                .get("audience_claim")
                .is_none()
            {
                token.claims.as_object_mut().unwrap().remove("aud");
                let (decision, _) = decided(&token, configuration.clone());
                assert_eq!(
                    refusal(&decision),
                    Some("audience_missing"),
                    "{guide}: {}",
                    token.what
                );
            }
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
}

fn refusal(decision: &Decision) -> Option<&'static str> {
    match &decision.outcome {
        Outcome::Reject(reason) => Some(reason.as_str()),
        _ => None,
    }
}

/// Every word that `type` can have is shown by a guide.
#[test]
fn every_type_has_a_guide() {
    let shown: BTreeSet<String> = guides()
        .iter()
        .flat_map(|guide| configurations(guide))
        .map(|configuration| {
            let word = configuration["providers"][0]["type"].as_str();
            word.unwrap_or("oidc").to_owned()
        })
        .collect();
    let reference = fs::read_to_string(folder("docs/reference/configuration.md")).unwrap();
    let row = reference
        .lines()
        .find(|line| line.starts_with("| `type` |"));
    let words = row.unwrap().split('|').nth(2);
    let cells: Vec<&str> = row.unwrap().split(" | ").collect();
    assert!(words.is_some());
    let known: BTreeSet<String> = cells[1]
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(shown, known);
}
