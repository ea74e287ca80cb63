//! Runs one policy test.

use std::path::Path;

use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;

use super::compare::differences;
use super::file::{Request, Test};
use crate::explain::explanation::Explanation;
use crate::file::input;
use crate::judge::claims::UnverifiedToken;
use crate::judge::known::{provider, Known};
use crate::judge::Case;

/// The result of one test.
pub(crate) struct TestResult {
    /// The explanation of the decision, if there was one.
    pub(crate) explanation: Option<Explanation>,
    /// What differs, or why there was no decision.
    pub(crate) failures: Vec<String>,
}

/// Runs a test. `folder` is that of its file.
pub(crate) fn run(policy: &Policy, folder: &Path, test: &Test) -> TestResult {
    match explain(policy, folder, test) {
        Ok((explanation, failures)) => TestResult {
            explanation: Some(explanation),
            failures,
        },
        Err(problem) => TestResult {
            explanation: None,
            failures: vec![problem],
        },
    }
}

fn explain(
    policy: &Policy,
    folder: &Path,
    test: &Test,
) -> Result<(Explanation, Vec<String>), String> {
    let now = test.at.map_or_else(input::now, |seconds| {
        UnixMillis(seconds.saturating_mul(1000))
    });
    let mut known = Known::of(policy);
    for (name, path) in &test.key_sets {
        let keys = input::bytes(&folder.join(path))?;
        known.key_set(provider(policy, name)?, &keys);
    }
    for (name, response) in &test.responses {
        let response = response.to_string().into_bytes();
        known.response(provider(policy, name)?, response, now)?;
    }
    let of = test.provider.as_deref();
    let of = of.map(|name| provider(policy, name)).transpose()?;
    let unverified = match (&test.claims, &test.token_file) {
        (Some(_), Some(_)) => {
            return Err("has claims and a token_file: write one of them".to_owned())
        }
        (Some(claims), None) => Some(UnverifiedToken::of(
            policy,
            (claims.clone(), test.token_header.clone()),
            of.map(|(_, provider)| provider),
            now.to_seconds(),
        )),
        (None, _) => None,
    };
    if let Some(token) = &unverified {
        known.unverified(token);
    }
    let token = match &test.token_file {
        Some(path) => Some(input::text(&folder.join(path))?.trim().to_owned()),
        None => unverified.as_ref().map(|token| token.compact().to_owned()),
    };
    let head = head(&test.request, token.as_deref());
    let body = match (&test.request.body, &test.request.body_file) {
        (Some(_), Some(_)) => {
            return Err("has a body and a body_file: write one of them".to_owned())
        }
        (Some(body), None) => Some(body.clone().into_bytes()),
        (None, Some(path)) => Some(input::bytes(&folder.join(path))?),
        (None, None) => None,
    };
    let case = Case {
        policy,
        head: &head,
        body: body.as_deref(),
        now,
        known: &known,
        unverified: unverified.as_ref(),
    };
    let explanation = Explanation::of(&case);
    let differences = differences(&case, &explanation, &test.expect);
    Ok((explanation, differences))
}

/// What stands for the token in a header or in the path.
const TOKEN: &str = "${token}";

fn head(request: &Request, token: Option<&str>) -> RequestHead {
    let path = request.path.as_deref().unwrap_or("/api/v1/workflows");
    let is_placed =
        path.contains(TOKEN) || request.headers.values().any(|value| value.contains(TOKEN));
    let fill = |text: &str| text.replace(TOKEN, token.unwrap_or_default()).into_bytes();
    let method = request.method.as_deref().unwrap_or("GET");
    let host = request.host.as_deref().unwrap_or("n8n.example.com");
    let mut pairs = vec![
        (":method".to_owned(), method.as_bytes().to_vec()),
        (":path".to_owned(), fill(path)),
        (":authority".to_owned(), host.as_bytes().to_vec()),
    ];
    let headers = request.headers.iter();
    pairs.extend(headers.map(|(name, value)| (name.to_ascii_lowercase(), fill(value))));
    if let (false, Some(token)) = (is_placed, token) {
        let value = format!("Bearer {token}");
        pairs.push(("authorization".to_owned(), value.into_bytes()));
    }
    RequestHead::new(pairs)
}
