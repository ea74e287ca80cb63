//! API keys of n8n, as the environment holds them.
//!
//! n8n alone can say whether a key is good. What can be seen at start is that a value is no key at
//! all: with such a one, every caller of the principal would be refused by n8n.

use super::environment::Environment;
use super::field_path::FieldPath;
use super::secrets::SecretName;
use crate::policy::StaticKey;
use crate::token::ApiKeyForm;

const AS_SHOWN: &str = "set it to the key as n8n showed it, with nothing around it";

/// Looks a key up and reports what cannot be one. No message holds any of it.
pub(super) fn api_key(
    name: &SecretName,
    environment: &dyn Environment,
    path: &FieldPath,
) -> Option<StaticKey> {
    let secret = name.look_up(environment, path)?;
    let path = path.member("env");
    let error = |problem: &str, hint: &str| {
        let shown = name.shown();
        let problem = format!("the environment variable {shown} {problem}");
        path.error(problem, hint);
    };
    if let Some(problem) = stand_in(name, secret.expose()) {
        error(problem, AS_SHOWN);
        return None;
    }
    let warn = |problem: &str| {
        let problem = format!("the environment variable {} {problem}", name.shown());
        path.warn(problem, AS_SHOWN);
    };
    let expiry = match ApiKeyForm::of(secret.expose()) {
        ApiKeyForm::Opaque => None,
        ApiKeyForm::Key(claims) => {
            if !claims.is_for_public_api {
                warn("holds a key of n8n that is for something else than its public API");
            }
            claims.expiry
        }
        ApiKeyForm::Token(_) => {
            let hint =
                "make an API key in n8n, under Settings, for the user as which the principal acts";
            error("holds a token that n8n did not issue", hint);
            return None;
        }
        ApiKeyForm::Unnamed => {
            warn("holds a JWT without iss, which no API key of n8n is");
            None
        }
        ApiKeyForm::Unreadable => {
            warn("holds the beginning of a JWT, and the rest cannot be read: it may be cut");
            None
        }
    };
    Some(StaticKey {
        key: secret,
        expiry,
    })
}

/// Says what a value is that cannot be a key. It names no value that could be a key of some version of
/// n8n.
fn stand_in(name: &SecretName, value: &str) -> Option<&'static str> {
    const QUOTES: [char; 3] = ['"', '\'', '`'];
    // As templates, shells, Windows and documentation write what is to be filled in.
    const OPENING: [char; 5] = ['<', '{', '[', '$', '%'];
    const WORDS: [&str; 22] = [
        "apikey",
        "changeit",
        "changeme",
        "dummy",
        "example",
        "false",
        "key",
        "n8napikey",
        "nil",
        "none",
        "null",
        "password",
        "placeholder",
        "redacted",
        "replaceme",
        "secret",
        "tbd",
        "todo",
        "token",
        "true",
        "undefined",
        "yourkey",
    ];
    let has_prefix = |prefix: &str| {
        let start = value.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if value.starts_with(QUOTES) || value.ends_with(QUOTES) {
        return Some("holds quotes around the key");
    }
    if has_prefix("bearer") || has_prefix("x-n8n-api-key") {
        return Some("holds more than the key: a scheme or the name of a header");
    }
    let assigned = value.strip_prefix(name.variable());
    if assigned.is_some_and(|rest| rest.starts_with('=')) {
        return Some("holds its own name and an equals sign before the key");
    }
    let first = value.bytes().next();
    if (value.len() > 2 && value.bytes().all(|byte| Some(byte) == first))
        || value.contains("...")
        || value.contains("***")
        || value.starts_with(OPENING)
    {
        return Some("holds a placeholder");
    }
    let letters = value.bytes().filter(u8::is_ascii_alphanumeric);
    let word: Vec<u8> = letters.map(|byte| byte.to_ascii_lowercase()).collect();
    let is_whole = |known: &str| word == known.as_bytes();
    let is_yours = word.starts_with(b"your") || word.starts_with(b"my");
    let ends_so = |known: &str| word.ends_with(known.as_bytes());
    let is_placeholder = WORDS.iter().copied().any(is_whole)
        || word.starts_with(b"replacewith")
        || (is_yours
            && ["key", "here", "token", "secret"]
                .iter()
                .any(|end| ends_so(end)));
    is_placeholder.then_some("holds a placeholder")
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;
    use serde_json::{json, Value};

    use crate::config::{load, ConfigErrors, Environment, Loaded};
    use crate::secret::Secret;

    struct One<'v>(&'v str);

    impl Environment for One<'_> {
        fn secret(&self, _: &str) -> Option<Secret> {
            Some(Secret::new(self.0.to_owned()))
        }
    }

    fn loaded(value: &str) -> Result<Loaded, ConfigErrors> {
        let document = json!({
            "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": "n8n",
                "cluster": "idp", "roles_from": "roles"}],
            "roles": {"Reader": "workflow:read"},
            "principals": [{"name": "app", "match": {"any": true},
                "api_key": {"env": "N8N_KEY_APP"}}],
        });
        load(document.to_string().as_bytes(), &One(value))
    }

    fn jwt(claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("{header}.{claims}.c2lnbmF0dXJl")
    }

    #[test]
    fn what_is_no_key_does_not_load_and_is_not_shown() {
        let of_a_provider = jwt(&json!({"iss": "https://idp.example", "sub": "app"}));
        let quoted = format!("\"{}\"", jwt(&json!({"iss": "n8n"})));
        for value in [
            quoted.as_str(),
            "'n8n_api_0123'",
            "`n8n_api_0123",
            "n8n_api_0123\"",
            "n8n_api_01 23",
            " n8n_api_0123",
            "n8n_api_0123\n",
            "n8n_api_0123\r",
            "Bearer n8n_api_0123",
            "Bearer",
            "bearer:n8n_api_0123",
            "X-N8N-API-KEY:n8n_api_0123",
            "N8N_KEY_APP=n8n_api_0123",
            "",
            "changeme",
            "Change-Me",
            "CHANGE_ME!",
            "<key>",
            "<your n8n key>",
            "${N8N_KEY}",
            "$N8N_KEY",
            "$(cat key)",
            "{{key}}",
            "%N8N_KEY%",
            "[key]",
            "your-api-key",
            "YOUR_API_KEY_HERE",
            "yourN8nApiKey",
            "my-api-key",
            "replace-with-your-key",
            "xxx",
            "xxxxxxxxxxxx",
            "****",
            "n8n_api_***",
            "eyJhbGciOiJIUzI1NiJ9...",
            "undefined",
            "null",
            "TODO",
            of_a_provider.as_str(),
        ] {
            let Err(errors) = loaded(value) else {
                panic!("{value:?} loads");
            };
            let text = errors.to_string();
            assert!(
                text.contains("principals[0].api_key.env"),
                "{value}: {text}"
            );
            assert!(text.contains("N8N_KEY_APP"), "{value}: {text}");
            let shown = value.trim_matches(|byte: char| !byte.is_ascii_alphanumeric());
            let is_free = ["", "key", "N8N_KEY", "Bearer", "bearer:n8n_api_0123"].contains(&shown);
            assert!(is_free || !text.contains(shown), "{value}: {text}");
        }
    }

    #[test]
    fn what_may_be_a_key_of_some_n8n_loads() {
        for value in [
            jwt(&json!({"iss": "n8n", "aud": "public-api", "sub": "u", "jti": "j"})).as_str(),
            jwt(&json!({"iss": "n8n-cloud"})).as_str(),
            "n8n_api_0123456789abcdef0123456789abcdef",
            "n8n-key-of-app-a",
            "not-set",
            "a",
            "key-of-app-a",
            "mykeys-are-long",
            "yourself",
            "Zm9v+/=",
        ] {
            let loaded = loaded(value).unwrap_or_else(|errors| panic!("{value}: {errors}"));
            assert_eq!(loaded.warnings, [], "{value}");
        }
    }

    #[test]
    fn what_n8n_will_hardly_take_is_warned_of() {
        let cut = jwt(&json!({"iss": "n8n"}));
        let cut = cut.get(..cut.len() - 14).unwrap_or_default();
        for value in [
            jwt(&json!({"sub": "user"})).as_str(),
            jwt(&json!({"iss": "n8n", "aud": "mcp-server-api"})).as_str(),
            format!("{cut}.!").as_str(),
        ] {
            let loaded = loaded(value).unwrap_or_else(|errors| panic!("{value}: {errors}"));
            assert_eq!(loaded.warnings.len(), 1, "{value}: {:?}", loaded.warnings);
            assert_eq!(loaded.warnings[0].path, "principals[0].api_key.env");
        }
    }

    #[test]
    fn a_key_that_has_expired_is_named_by_its_principal() {
        let key = jwt(&json!({"iss": "n8n", "exp": 1_600_000_000}));
        let policy = loaded(&key).unwrap().policy;
        let expired = |now| {
            let now = crate::time::UnixSeconds(now);
            policy.expired_keys(now).collect::<Vec<_>>()
        };
        assert_eq!(expired(1_599_999_999), Vec::<String>::new());
        let warned = expired(1_600_000_000);
        assert!(
            warned.len() == 1 && warned[0].contains("principal app"),
            "{warned:?}"
        );
        assert!(!warned[0].contains("eyJ"), "{warned:?}");
    }
}
