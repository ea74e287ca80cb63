//! `n8n-idp-gate explain`.

mod caller;
pub(crate) mod explanation;
pub(crate) mod headers;
mod json;
mod mismatch;
pub(crate) mod outcome;
pub(crate) mod place;
mod shadow;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod token;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use n8n_idp_gate::config::yaml;
use n8n_idp_gate::decide::Outcome;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;
use serde_json::{Map, Value};

use crate::file::input::{self, now};
use crate::file::output::print;
use crate::judge::claims::UnverifiedToken;
use crate::judge::known::{document, named, Known};
use crate::judge::{policy, Case};
use explanation::Explanation;
use shadow::Shadowed;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration, or a manifest with one inside.
    config: PathBuf,
    /// Which configuration, if a file has several: the name of its filter or plugin, or its number.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The request's method.
    #[arg(long, default_value = "GET")]
    method: String,
    /// The request's path and query.
    #[arg(long, default_value = "/api/v1/workflows")]
    path: String,
    /// The host of the request. With several instances of n8n, it decides which one the request is for.
    #[arg(long, default_value = "n8n.example.com")]
    host: String,
    /// A header of the request, as `name: value`. May be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A file with a bearer token; `-` reads it from standard input, so that it is in no list of
    /// processes and no history of commands.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the claims of a token, in JSON or YAML, or `-`. No signature is checked: the output
    /// says NOT VERIFIED. Absent times are filled in.
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    claims: Option<PathBuf>,
    /// The `typ` in the header of the token that is made of the claims.
    #[arg(long, value_name = "TYP", requires = "claims")]
    token_typ: Option<String>,
    /// The key set of a provider, for providers without keys in the configuration.
    #[arg(long = "key-set", value_name = "PROVIDER=FILE")]
    key_sets: Vec<String>,
    /// The discovery document of a provider. It is checked as the filter would check it.
    #[arg(long = "discovery", value_name = "PROVIDER=FILE")]
    discovery: Vec<String>,
    /// The response of a provider about the token: of introspection, userinfo or tokeninfo.
    #[arg(long = "response", alias = "answer", value_name = "PROVIDER=FILE")]
    responses: Vec<String>,
    /// A file with the body of the request, for rules that check a signature.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The time of the request, in seconds since 1970; now by default.
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    /// End with the status 3 if the request is refused, and with 4 if something must be given first.
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode, String> {
    let policy = policy(&arguments.config, arguments.name.as_deref())?;
    let now = arguments
        .at
        .map_or_else(now, |seconds| UnixMillis(seconds.saturating_mul(1000)));
    let unverified = unverified(&policy, arguments, now)?;
    let head = head(arguments, unverified.as_ref())?;
    let known = known(&policy, arguments, unverified.as_ref(), now)?;
    let body = arguments.body.as_deref().map(input::bytes).transpose()?;
    let case = Case {
        policy: &policy,
        head: &head,
        body: body.as_deref(),
        now,
        known: &known,
        unverified: unverified.as_ref(),
    };
    let mut explanation = Explanation::of(&case);
    let second = shadow::policy(&policy, &head);
    let second = second.as_ref().map(|policy| Case { policy, ..case });
    let shadow = second.map(|second| {
        let shadowed = Shadowed::of(&case, &second, &mut explanation);
        (second, shadowed)
    });
    if arguments.json {
        let json = json::json(&case, &explanation, shadow.as_ref());
        let json = serde_json::to_string_pretty(&json).unwrap_or_default();
        print(out, &format!("{json}\n"))?;
    } else {
        print(out, &text::text(&case, &explanation, shadow.as_ref()))?;
    }
    Ok(if arguments.exit_code {
        exit_code(&explanation.decision.outcome)
    } else {
        ExitCode::SUCCESS
    })
}

fn exit_code(outcome: &Outcome) -> ExitCode {
    match outcome {
        Outcome::Reject(_) => ExitCode::from(3),
        Outcome::Await(_) => ExitCode::from(4),
        _ => ExitCode::SUCCESS,
    }
}

/// The token that is made of claims.
fn unverified(
    policy: &Policy,
    arguments: &Arguments,
    now: UnixMillis,
) -> Result<Option<UnverifiedToken>, String> {
    let Some(path) = &arguments.claims else {
        return Ok(None);
    };
    let claims = claims(path)?;
    let typ = arguments.token_typ.clone();
    let header = typ.map(|typ| ("typ".to_owned(), Value::from(typ)));
    let header: Map<_, _> = header.into_iter().collect();
    let token = UnverifiedToken::of(policy, (claims, header), None, now.to_seconds());
    Ok(Some(token))
}

/// The claims of a file: an object in JSON or YAML.
fn claims(path: &Path) -> Result<Map<String, Value>, String> {
    let say = |problem: String| format!("{}: {problem}", input::shown(path));
    let text = input::text_or_stdin(path)?;
    let read = if let Ok(read) = serde_json::from_str(&text) {
        read
    } else {
        let json = yaml::to_json(&text).map_err(|fault| say(fault.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| say(error.to_string()))?
    };
    match read {
        Value::Object(claims) => Ok(claims),
        _ => Err(say("the claims are no object".to_owned())),
    }
}

fn head(
    arguments: &Arguments,
    unverified: Option<&UnverifiedToken>,
) -> Result<RequestHead, String> {
    let mut pairs: Vec<(String, Vec<u8>)> = vec![
        (":method".to_owned(), arguments.method.clone().into_bytes()),
        (":path".to_owned(), arguments.path.clone().into_bytes()),
        (":authority".to_owned(), arguments.host.clone().into_bytes()),
    ];
    for header in &arguments.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("{header:?} is not of the form NAME: VALUE"))?;
        let name = name.trim().to_ascii_lowercase();
        pairs.push((name, value.trim().as_bytes().to_vec()));
    }
    let token = match &arguments.token_file {
        Some(path) => Some(input::text_or_stdin(path)?),
        None => unverified.map(|token| token.compact().to_owned()),
    };
    if let Some(token) = token {
        let value = format!("Bearer {}", token.trim());
        pairs.push(("authorization".to_owned(), value.into_bytes()));
    }
    Ok(RequestHead::new(pairs))
}

fn known(
    policy: &Policy,
    arguments: &Arguments,
    unverified: Option<&UnverifiedToken>,
    now: UnixMillis,
) -> Result<Known, String> {
    let mut known = Known::of(policy);
    for argument in &arguments.discovery {
        let (provider, text) = document(policy, argument)?;
        known.discovery(provider, &text);
    }
    for argument in &arguments.key_sets {
        let (provider, text) = document(policy, argument)?;
        known.key_set(provider, &text);
    }
    known.note_skipped(policy);
    for argument in &arguments.responses {
        let (provider, path) = named(policy, argument)?;
        let response = input::bytes(path)?;
        let read = known.response(provider, response, now);
        read.map_err(|problem| format!("{}: {problem}", input::shown(path)))?;
    }
    if let Some(token) = unverified {
        known.unverified(token);
    }
    Ok(known)
}
