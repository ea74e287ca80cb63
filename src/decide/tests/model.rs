//! Random requests: whatever a client sends, the promises hold.

use super::*;

/// A small repeatable source of choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

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

fn tokens() -> Vec<(String, bool)> {
    let attacker = Mint::generate(KeyKind::Ed25519);
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let reader = claims("reader", &["Reader", "Orders"]);
    let mut expired = claims("admin", &["Admin"]);
    expired["exp"] = json!(NOW.0 - 60);
    let mut elsewhere = claims("admin", &["Admin"]);
    elsewhere["aud"] = json!("api://other");
    let good = sign(&reader);
    vec![
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

/// A host that adds where it finds nothing to replace makes two headers of a name that is set twice.
fn sets_each_name_once(decision: &Decision) -> bool {
    let Outcome::Forward(forward) = &decision.outcome else {
        return false;
    };
    let mut names = std::collections::BTreeSet::new();
    forward.edits().iter().all(|edit| match edit {
        HeaderEdit::Set(name, _) => names.insert(*name),
        HeaderEdit::Remove(_) => true,
    })
}

#[test]
fn random_requests_keep_the_promises() {
    let facts = facts(&configuration());
    let tokens = tokens();
    let mut dice = Dice(7);
    let mut token_cache = TokenCache::default();
    let (mut forwards, mut recalled) = (0, 0);
    for _ in 0..10_000 {
        let (token, is_good) = &tokens[dice.roll(tokens.len())];
        let bearer = format!("Bearer {token}");
        let choices = [
            ("authorization", bearer.as_str()),
            ("authorization", bearer.as_str()),
            ("authorization", "Basic YTpi"),
            ("x-n8n-api-key", "from-the-client"),
            ("x_n8n_api_key", "from-the-client"),
            ("x-n8n-api-key", token.as_str()),
            ("x-auth-subject", "from-the-client"),
            ("X_Auth_Roles", "from-the-client"),
            ("x-auth_principal", "from-the-client"),
            ("cookie", "n8n-auth=from-the-client"),
            ("cookie", "theme=dark"),
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
        ];
        let headers: Vec<_> = (0..dice.roll(5)).map(|_| dice.pick(&choices)).collect();
        let request = request(dice.pick(&METHODS), dice.pick(&PATHS), &headers);
        let decision = decide_with(&facts, &request);
        let again = decide_with_cache(&facts, &token_cache, &request);
        assert_eq!(
            format!("{:?}", again.outcome),
            format!("{:?}", decision.outcome),
            "what is remembered changes no decision: {request:?}"
        );
        if again.record.cache == Some(CacheOutcome::Hit) {
            recalled += 1;
        }
        if let Some(remember) = again.remember {
            token_cache.apply(remember);
        }
        match &decision.outcome {
            Outcome::Forward(_) => {
                forwards += 1;
                let bearers = headers.iter().filter(|header| header.1 == bearer).count();
                assert!(*is_good && bearers == 1, "{request:?}");
                let head = upstream(&request, &decision);
                assert!(!format!("{head:?}").contains("from-the-client"), "{head:?}");
                assert!(sets_each_name_once(&decision), "{decision:?}");
                let keys = head
                    .iter()
                    .filter(|(name, _)| name == "x-n8n-api-key")
                    .count();
                let to_api = decision.record.surface == Some(Surface::PublicApi);
                assert_eq!(keys, usize::from(to_api), "{head:?}");
            }
            Outcome::Pass(_) => {
                let head = upstream(&request, &decision);
                let is_key = |name: &str| name.replace('_', "-") == "x-n8n-api-key";
                let is_token = |value: &str| value.contains('.') && value == token;
                let as_key = head
                    .iter()
                    .any(|(name, value)| is_key(name) && is_token(value));
                assert!(!as_key, "a token in the place of a key: {head:?}");
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
            Outcome::Reject(_) | Outcome::Respond(_) => {}
            Outcome::Await(fact) => panic!("every fact is known: {fact:?}"),
            Outcome::UpstreamResponse => panic!("n8n sent no response"),
        }
        let record = format!("{decision:?}");
        assert!(!record.contains(token.as_str()), "a token in the open");
    }
    assert!(forwards > 100, "the model forwards only {forwards}");
    assert!(recalled > 100, "the model recalls only {recalled}");
    assert_eq!(token_cache.len(), 3, "only the good tokens are remembered");
}
