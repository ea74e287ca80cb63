//! Random requests: whatever a client sends, the promises hold.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::*;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

const TOKENS: usize = 8;

const PATHS: [&str; 16] = [
    "/api/v1/workflows",
    "/API/v1/workflows/7",
    "/api/v1/executions?limit=1",
    "/api/v1/users/",
    "/api/v1/nothing",
    "/api/v1/%2e%2e/rest",
    "/webhook/orders/new",
    "/webhook/public/a",
    "/webhook/closed/a",
    "/webhook/browser",
    "/webhook-test/orders/new",
    "/rest/settings",
    "/",
    "/metrics",
    "/mcp-server/http",
    "/.well-known/oauth-protected-resource/api/v1",
];

/// The tokens, and whether each is good.
pub(super) fn tokens() -> [(String, bool); TOKENS] {
    let attacker = Mint::generate(KeyKind::Ed25519);
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let reader = claims("reader", &["Reader", "Orders"]);
    let mut expired = claims("admin", &["Admin"]);
    expired["exp"] = json!(NOW.0 - 60);
    let mut elsewhere = claims("admin", &["Admin"]);
    elsewhere["aud"] = json!("api://other");
    let good = sign(&reader);
    [
        (good.clone(), true),
        (sign(&claims("admin", &["Admin"])), true),
        (sign(&person("ann@example.com", true, &["Reader"])), true),
        (attacker.sign(&header, &reader), false),
        (sign(&expired), false),
        (sign(&elsewhere), false),
        (good[..good.len() - 2].to_owned(), false),
        ("garbage".to_owned(), false),
    ]
}

/// A header of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Header {
    Bearer,
    /// The token as an API key.
    Key,
    Other(&'static str, &'static str),
}

const HEADERS: [Header; 13] = [
    Header::Bearer,
    Header::Bearer,
    Header::Key,
    Header::Other("authorization", "Basic YTpi"),
    Header::Other("x-n8n-api-key", "from-the-client"),
    Header::Other("x_n8n_api_key", "from-the-client"),
    Header::Other("x-auth-subject", "from-the-client"),
    Header::Other("X_Auth_Roles", "from-the-client"),
    Header::Other("x-auth_principal", "from-the-client"),
    Header::Other("cookie", "n8n-auth=from-the-client"),
    Header::Other("cookie", "theme=dark"),
    Header::Other("origin", "https://app.example"),
    Header::Other("access-control-request-method", "POST"),
];

/// A request with one of the [`tokens`], once or several times or not at all.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    method: &'static str,
    path: &'static str,
    pub(super) token: usize,
    headers: Vec<Header>,
}

impl Sent {
    pub(super) fn head(&self, token: &str) -> RequestHead {
        let bearer = format!("Bearer {token}");
        let headers = self.headers.iter().map(|header| match *header {
            Header::Bearer => ("authorization", bearer.as_str()),
            Header::Key => ("x-n8n-api-key", token),
            Header::Other(name, value) => (name, value),
        });
        request(self.method, self.path, &headers.collect::<Vec<_>>())
    }

    fn count(&self, wanted: Header) -> usize {
        let headers = self.headers.iter();
        headers.filter(|header| **header == wanted).count()
    }
}

pub(super) fn sent() -> impl Strategy<Value = Sent> {
    let headers = vec(select(&HEADERS[..]), 0..5);
    (select(&METHODS[..]), select(&PATHS[..]), 0..TOKENS, headers).prop_map(
        |(method, path, token, headers)| Sent {
            method,
            path,
            token,
            headers,
        },
    )
}

/// A host that adds where it finds nothing to replace makes two headers of a name that is set twice.
fn sets_each_name_once(decision: &Decision) -> bool {
    let Outcome::Forward(forward) = &decision.outcome else {
        return false;
    };
    let mut names = BTreeSet::new();
    forward.edits().iter().all(|edit| match edit {
        HeaderEdit::Set(name, _) => names.insert(*name),
        HeaderEdit::Remove(_) => true,
    })
}

fn check_forward(request: &RequestHead, decision: &Decision) {
    let head = upstream(request, decision);
    assert!(!format!("{head:?}").contains("from-the-client"), "{head:?}");
    assert!(sets_each_name_once(decision), "{decision:?}");
    let keys = head
        .iter()
        .filter(|(name, _)| name == "x-n8n-api-key")
        .count();
    let to_api = decision.record.surface == Some(Surface::PublicApi);
    assert_eq!(keys, usize::from(to_api), "{head:?}");
}

fn check_pass(request: &RequestHead, decision: &Decision, token: &str) {
    let head = upstream(request, decision);
    let is_key = |name: &str| name.replace('_', "-") == "x-n8n-api-key";
    let is_token = |value: &str| value.contains('.') && value == token;
    let as_key = head
        .iter()
        .any(|(name, value)| is_key(name) && is_token(value));
    assert!(!as_key, "a token as an API key: {head:?}");
    for (name, _) in &head {
        let plain = name.to_ascii_lowercase().replace('_', "-");
        assert!(!IDENTITY_HEADERS.contains(&plain.as_str()), "{head:?}");
    }
    for key in [READER_KEY, ADMIN_KEY, PEOPLE_KEY] {
        assert!(!format!("{head:?}").contains(key), "{head:?}");
    }
    if decision.record.surface == Some(Surface::PublicApi) {
        assert!(value(&head, "x-n8n-api-key").is_some(), "{head:?}");
    }
}

#[test]
fn random_requests_keep_the_promises() {
    let facts = facts(&configuration());
    let tokens = tokens();
    let (forwards, hits, most_cached) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let send_all = |requests: Vec<Sent>| {
        let mut token_cache = TokenCache::default();
        let mut verified = BTreeSet::new();
        for sent in requests {
            let (token, is_good) = &tokens[sent.token];
            let request = sent.head(token);
            let decision = decide_with(&facts, &request);
            let again = decide_with_cache(&facts, &token_cache, &request);
            assert_eq!(
                format!("{:?}", again.outcome),
                format!("{:?}", decision.outcome),
                "the token cache changes no decision"
            );
            if again.record.cache == Some(CacheOutcome::Hit) {
                hits.set(hits.get() + 1);
            }
            if let Some(remember) = again.remember {
                assert!(is_good, "only good tokens are remembered");
                verified.insert(sent.token);
                token_cache.apply(remember);
            }
            assert_eq!(token_cache.len(), verified.len());
            match &decision.outcome {
                Outcome::Forward(_) => {
                    forwards.set(forwards.get() + 1);
                    let to_api = decision.record.surface == Some(Surface::PublicApi);
                    let tokens = sent.count(Header::Bearer)
                        + if to_api { sent.count(Header::Key) } else { 0 };
                    assert!(*is_good && tokens == 1, "forwarded");
                    check_forward(&request, &decision);
                }
                Outcome::Pass(_) => check_pass(&request, &decision, token),
                Outcome::Reject(_) | Outcome::Respond(_) => {}
                Outcome::Await(fact) => panic!("every fact is known: {fact:?}"),
                Outcome::Job(_) | Outcome::UnderWay => panic!("no role may run workflows"),
                Outcome::UpstreamResponse => panic!("n8n sent no response"),
            }
            let record = format!("{decision:?}");
            assert!(!record.contains(token.as_str()), "a token in the open");
        }
        most_cached.set(most_cached.get().max(token_cache.len()));
        Ok(())
    };
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 80,
        max_shrink_iters: 10_000,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    });
    if let Err(failure) = runner.run(&vec(sent(), 1..=400), send_all) {
        panic!("{failure}\n{runner}");
    }
    let (forwards, hits) = (forwards.get(), hits.get());
    assert!(forwards > 100, "the model forwards only {forwards}");
    assert!(hits > 100, "the model finds only {hits} in the token cache");
    assert_eq!(most_cached.get(), 3, "each good token is remembered");
}
