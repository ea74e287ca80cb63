//! `n8n-idp-gate explain`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use n8n_idp_gate::crypto::{skipped_in_words, GuestCrypto, KeySet, KeySetFault};
use n8n_idp_gate::decide::{
    decide, Decision, DecisionContext, HeaderEdit, Need, Outcome, Request, TokenCache,
};
use n8n_idp_gate::facts::{
    read_discovery, read_token_status, Availability, Fact, FactKind, Facts, KeyIdDigest, KeysFault,
    LoginRequest, MintRequest, NewerKeys, Outage, TokenStatus,
};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::observe::audit_line;
use n8n_idp_gate::policy::{KeySource, Policy, Provider, ProviderId};
use n8n_idp_gate::reply::{problem, LocalReply, Resource};
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixMillis;
use n8n_idp_gate::token::TokenDigest;

use crate::file::environment::ProcessEnvironment;
use crate::file::input::{self, now};
use crate::file::manifest::Manifest;

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
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let environment = ProcessEnvironment { is_required: false };
    let choice = arguments.name.as_deref();
    let found = Manifest::one_configuration(&arguments.config, choice)?;
    let policy = found.load(&environment)?.policy;
    let request = request(arguments)?;
    let now = arguments
        .at
        .map_or_else(now, |seconds| UnixMillis(seconds.saturating_mul(1000)));
    let files = Files::read(&policy, arguments, now)?;
    let context = DecisionContext {
        nonces: None,
        policy: &policy,
        facts: &files,
        token_cache: &TokenCache::default(),
        crypto: &GuestCrypto,
        now: now.to_seconds(),
    };
    let body = arguments.body.as_deref().map(input::bytes).transpose()?;
    let request = Request {
        body: body.as_deref(),
        ..Request::of_head(&request)
    };
    let decision = decide(context, request);
    let request = request.head;
    let described = describe(&decision, &policy, request, now, out);
    let written = described.and_then(|()| {
        files
            .notes
            .iter()
            .try_for_each(|note| writeln!(out, "{note}"))
    });
    written.map_err(|error| error.to_string())
}

fn describe(
    decision: &Decision,
    policy: &Policy,
    request: &RequestHead,
    now: UnixMillis,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{}", audit_line(decision, request, now))?;
    match &decision.outcome {
        Outcome::Forward(forward) => {
            writeln!(out, "is forwarded for the caller:")?;
            list(forward.edits(), out)
        }
        Outcome::Pass(edits) => {
            writeln!(out, "passes unchanged, except for:")?;
            list(edits, out)
        }
        Outcome::Reject(reason) => {
            let instance = policy.instances.of(request);
            let resource = instance.and_then(|instance| {
                Resource::asked_for(instance, decision.record.surface, request)
                    .map(|resource| resource.requiring_proofs(decision.record.requires_proof))
            });
            let told = decision.record.told(reason, policy);
            local_reply(&problem(reason, resource.as_ref(), request, told), out)
        }
        Outcome::Respond(reply) => local_reply(reply, out),
        Outcome::Job(job) => match job.session() {
            Some((user, _)) => writeln!(
                out,
                "is carried out by the gate, as the user {} of n8n",
                user.email()
            ),
            None => writeln!(
                out,
                "is answered by the gate, with the description of n8n and bearer tokens in it"
            ),
        },
        // Only for requests to which n8n has responded.
        Outcome::UpstreamResponse | Outcome::UnderWay => Ok(()),
        Outcome::Await(Need::Body { .. }) => {
            writeln!(
                out,
                "waits for the body of the request: give it with --body FILE"
            )
        }
        Outcome::Await(Need::Fact(fact)) => waits_for(fact, policy, out),
    }
}

fn waits_for(fact: &Fact, policy: &Policy, out: &mut impl Write) -> io::Result<()> {
    let name = |id: &ProviderId| {
        let provider = policy.providers.get(id.0);
        provider.map_or("?", |provider| &*provider.name)
    };
    match fact {
        Fact::TokenStatusToDecide(id, _) | Fact::TokenStatusToConfirm(id, _) => {
            let name = name(id);
            writeln!(
                out,
                "waits for the response of {name} about the token: give it with --response {name}=FILE"
            )
        }
        Fact::KeySet(id) | Fact::NewerKeySet(id, _) | Fact::ChangedKeySet(id, ..) => {
            let name = name(id);
            writeln!(
                out,
                "waits for the keys of {name}: give them with --key-set {name}=FILE"
            )
        }
        Fact::MintedKey(request) => writeln!(
            out,
            "waits for an API key that the gate makes for the user {}",
            request.email()
        ),
        Fact::BrowserLogin(request) => writeln!(
            out,
            "waits for a log-in that the gate makes for the user {}",
            request.user().email
        ),
        Fact::Session(request) => writeln!(
            out,
            "waits for a session that the gate makes for the user {}",
            request.email()
        ),
    }
}

fn list(edits: &[HeaderEdit], out: &mut impl Write) -> io::Result<()> {
    edits
        .iter()
        .try_for_each(|edit| writeln!(out, "  {edit:?}"))
}

fn local_reply(reply: &LocalReply, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "gets a local reply with {}:", reply.status)?;
    for (name, value) in &reply.headers {
        writeln!(out, "  {name}: {value}")?;
    }
    writeln!(out, "  {}", reply.body)
}

fn request(arguments: &Arguments) -> Result<RequestHead, String> {
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
    if let Some(path) = &arguments.token_file {
        let token = input::text_or_stdin(path)?;
        let value = format!("Bearer {}", token.trim());
        pairs.push(("authorization".to_owned(), value.into_bytes()));
    }
    Ok(RequestHead::new(pairs))
}

/// What the files have, instead of what the filter would fetch.
#[derive(Default)]
struct Files {
    keys: BTreeMap<ProviderId, Result<KeySet, KeysFault>>,
    /// What the log of the filter would say about them.
    notes: Vec<String>,
    responses: BTreeMap<ProviderId, TokenStatus>,
}

impl Files {
    fn read(policy: &Policy, arguments: &Arguments, now: UnixMillis) -> Result<Self, String> {
        let mut files = Self::default();
        for (index, provider) in policy.providers.iter().enumerate() {
            if let KeySource::Inline(keys) = &provider.keys {
                files.keys.insert(ProviderId(index), Ok(keys.clone()));
            }
        }
        for argument in &arguments.discovery {
            let (id, provider, _, document) = named(policy, argument)?;
            match read_discovery(provider, &document) {
                Ok(keys) => files.notes.push(format!(
                    "provider {}: its keys would be fetched from {keys}",
                    provider.name
                )),
                Err(fault) => files.failed(id, provider, fault),
            }
        }
        for argument in &arguments.key_sets {
            let (id, provider, _, document) = named(policy, argument)?;
            match KeySet::parse(&document) {
                Ok(keys) => {
                    let keys = keys.revoking(&provider.revoked_kids);
                    // A discovery document that is refused brings none.
                    files.keys.entry(id).or_insert(Ok(keys));
                }
                Err(fault) => files.failed(id, provider, fault.into()),
            }
        }
        for (id, keys) in &files.keys {
            let skipped = match keys {
                Ok(keys) => keys.skipped(),
                Err(KeysFault::Keys(KeySetFault::NoUsableKey(skipped))) => skipped,
                Err(_) => continue,
            };
            if let (false, Some(provider)) = (skipped.is_empty(), policy.providers.get(id.0)) {
                let (name, skipped) = (&provider.name, skipped_in_words(skipped));
                let note = format!("provider {name}: keys of the key set are skipped: {skipped}");
                files.notes.push(note);
            }
        }
        for argument in &arguments.responses {
            let (id, provider, path, document) = named(policy, argument)?;
            let asked = provider.introspection.as_ref();
            let asked =
                asked.ok_or_else(|| format!("{} is not asked about tokens", provider.name))?;
            let said = read_token_status(asked, document, now)
                .map_err(|fault| format!("{}: {fault}", input::shown(Path::new(path))))?;
            files.responses.insert(id, said);
        }
        Ok(files)
    }

    /// The filter would have no keys of this provider.
    fn failed(&mut self, id: ProviderId, provider: &Provider, fault: KeysFault) {
        let name = &provider.name;
        let note = format!("provider {name}: the keys could not be fetched: {fault}");
        self.notes.push(note);
        let advice = fault.code().advice(FactKind::Keys);
        let remedy = advice.map(|advice| format!("  {}", advice.remedy));
        self.notes.extend(remedy);
        self.keys.insert(id, Err(fault));
    }
}

/// The provider and the file that `PROVIDER=FILE` names.
fn named<'n>(
    policy: &'n Policy,
    argument: &'n str,
) -> Result<(ProviderId, &'n Provider, &'n str, Vec<u8>), String> {
    let (name, path) = argument
        .split_once('=')
        .ok_or_else(|| format!("{argument:?} is not of the form PROVIDER=FILE"))?;
    let mut providers = policy.providers.iter().enumerate();
    let (index, provider) = providers
        .find(|(_, provider)| &*provider.name == name)
        .ok_or_else(|| format!("there is no provider {name:?}"))?;
    let document = input::bytes(Path::new(path))?;
    Ok((ProviderId(index), provider, path, document))
}

impl Facts for Files {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        match self.keys.get(&provider) {
            Some(Ok(keys)) => Availability::Known(keys),
            Some(Err(fault)) => Availability::Unavailable(Outage {
                retry_after: Duration::from_secs(1),
                fault: Some(fault.code().as_str()),
            }),
            None => Availability::Pending,
        }
    }

    fn may_have_changed(&self, _: ProviderId, _: KeyIdDigest) -> bool {
        false
    }

    fn newer_keys(&self, _: ProviderId, _: KeyIdDigest) -> NewerKeys {
        NewerKeys::Unlikely
    }

    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        _: &TokenDigest,
    ) -> Availability<TokenStatus> {
        match self.responses.get(&provider) {
            Some(status) => Availability::Known(status.clone()),
            None => Availability::Pending,
        }
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
