//! The contestants: each is a chain of filters with one kind of traffic.

use serde_json::json;

use crate::deliveries;
use crate::floor;
use crate::native;
use crate::peers;
use crate::policy::{self, expected_key, READER};
use crate::server::{wasm_filter, Audit, Chain};
use crate::settings::{bench_wasm, Settings};
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::wrk::Credential;

/// Names of chains.
pub(crate) mod chain {
    pub(crate) const NONE: &str = "no filter";
    pub(crate) const NOTHING: &str = "wasm, does nothing";
    pub(crate) const TRIVIAL: &str = "wasm, 2 reads and 2 writes";
    pub(crate) const FLOOR: &str = "wasm, the gate's calls alone";
    pub(crate) const FLOOR_AUDIT: &str = "wasm, the gate's calls alone, audit to Envoy's log";
    pub(crate) const FLOOR_RECORDS: &str =
        "wasm, the gate's calls alone, audit to a file of its own";
    pub(crate) const FLOOR_RS256: &str = "wasm, the gate's calls alone, RS256";
    pub(crate) const FLOOR_ES256: &str = "wasm, the gate's calls alone, ES256";
    pub(crate) const FLOOR_REFUSES: &str = "wasm, the gate's calls alone, refuses";
    pub(crate) const FLOOR_PASSES: &str = "wasm, the gate's calls alone, passes";
    pub(crate) const GATE: &str = "gate";
    pub(crate) const GATE_NAMES: &str = "gate, names the caller everywhere";
    pub(crate) const GATE_10000: &str = "gate, 10 000 principals";
    pub(crate) const GATE_AUDIT: &str = "gate, audit to Envoy's log";
    pub(crate) const GATE_RECORDS: &str = "gate, audit to a file of its own";
    pub(crate) const GATE_GUEST: &str = "gate, crypto: guest";
    pub(crate) const NATIVE_CACHED: &str = "native chain, token cache";
    pub(crate) const NATIVE_NAMES: &str = "native chain, token cache, all identity headers";
    pub(crate) const NATIVE: &str = "native chain";
    pub(crate) const OAUTH2_PROXY: &str = "oauth2-proxy, ext_authz (HTTP)";
    pub(crate) const OPA: &str = "OPA, ext_authz (gRPC)";
    pub(crate) const OPEN: &str = "gate, webhook open";
    pub(crate) const SIGNED: &str = "gate, webhook signed";
}

/// Names of what is sent.
pub(crate) mod traffic {
    pub(crate) const REPEATED: &str = "repeated RS256";
    pub(crate) const UNIQUE: &str = "unique RS256";
    pub(crate) const FORGED: &str = "forged RS256";
    pub(crate) const REPEATED_ES: &str = "repeated ES256";
    pub(crate) const UNIQUE_ES: &str = "unique ES256";
    pub(crate) const FORGED_ES: &str = "forged ES256";
    pub(crate) const API_KEY: &str = "API key";
    pub(crate) const SMALL: &str = "body of 1 kB";
    pub(crate) const LARGE: &str = "body of 1 MB";
}

/// The required outcome of every request of a contestant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// It arrives unchanged.
    Passed,
    /// It arrives with this key in place of the token.
    Swapped(String),
    /// It arrives without the identity headers that the client made up.
    Cleaned,
    /// It arrives with this key in place of the token, and with the issuer of the token in a header that
    /// no client can set. The other headers of the caller are empty.
    Verified(String),
    /// It arrives with this key in place of the token, and with the caller's identity in headers
    /// that no client can set.
    Identified {
        /// The key.
        key: String,
        /// How the chain writes the roles.
        roles: String,
    },
    /// It arrives, and n8n is told that its sender signed it.
    Signed,
    /// It is refused with 401, and the body has this reason.
    Refused(&'static str),
    /// It is refused with 401.
    Denied,
}

impl Requirement {
    /// Whether every request of the contestant is refused.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Denied)
    }
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    /// The name of the chain.
    pub(crate) chain: &'static str,
    /// The name of what is sent.
    pub(crate) traffic: &'static str,
    /// What is sent.
    pub(crate) credential: Credential,
    /// The required outcome.
    pub(crate) requirement: Requirement,
}

impl Contestant {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.chain, self.traffic)
    }
}

/// All contestants of this run.
#[derive(Debug)]
pub(crate) struct Field {
    /// The chains, each of which is one Envoy.
    pub(crate) chains: Vec<Chain>,
    /// Lines of the table, in its order.
    pub(crate) contestants: Vec<Contestant>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
}

impl Field {
    /// Everything that the settings select.
    pub(crate) fn gather(settings: &Settings, tokens: &Tokens) -> Outcome<Self> {
        let mut left_out = Vec::new();
        let chains = all_chains(tokens, &mut left_out)?;
        let contestants: Vec<Contestant> = contestants(tokens)?
            .into_iter()
            .filter(|contestant| settings.wants(&contestant.name()))
            .filter(|contestant| chains.iter().any(|chain| chain.name == contestant.chain))
            .collect();
        let chains = chains
            .into_iter()
            .filter(|chain| contestants.iter().any(|other| other.chain == chain.name))
            .collect();
        Ok(Self {
            chains,
            contestants,
            left_out,
        })
    }

    /// Some chains, each with some kinds of good tokens: a name and the file for each kind.
    pub(crate) fn of(
        tokens: &Tokens,
        names: &[&str],
        traffics: &[(&'static str, &str)],
    ) -> Outcome<Self> {
        let mut chains = Self::chains(tokens)?;
        chains.retain(|chain| names.contains(&chain.name));
        let mut contestants = Vec::new();
        for chain in &chains {
            for (traffic, file) in traffics {
                contestants.push(Contestant {
                    chain: chain.name,
                    traffic,
                    credential: Credential::Tokens(tokens.list(file)?),
                    requirement: good_outcome(chain.name),
                });
            }
        }
        Ok(Self {
            chains,
            contestants,
            left_out: Vec::new(),
        })
    }

    /// All chains, whether a contestant uses them or not.
    pub(crate) fn chains(tokens: &Tokens) -> Outcome<Vec<Chain>> {
        all_chains(tokens, &mut Vec::new())
    }
}

fn all_chains(tokens: &Tokens, left_out: &mut Vec<String>) -> Outcome<Vec<Chain>> {
    let none = json!({});
    let gate = policy::gate(&tokens.keys, 10);
    let mut audit = policy::chain(chain::GATE_AUDIT, &gate)?;
    audit.audit = Audit::Log;
    let mut records = gate.clone();
    records["audit"] = json!({ "to": "access_log" });
    let mut records = policy::chain(chain::GATE_RECORDS, &records)?;
    records.audit = Audit::AccessLog;
    let mut chains = vec![
        Chain::new(chain::NONE, Vec::new()),
        Chain::new(
            chain::NOTHING,
            vec![wasm_filter(&bench_wasm("nothing")?, &none, &[])],
        ),
        Chain::new(
            chain::TRIVIAL,
            vec![wasm_filter(&bench_wasm("trivial")?, &none, &[])],
        ),
        policy::chain(chain::GATE, &gate)?,
        policy::chain(chain::GATE_NAMES, &policy::naming_the_caller(&gate))?,
        policy::chain(chain::GATE_10000, &policy::gate(&tokens.keys, 10_000))?,
        audit,
        records,
    ];
    let mut guest = gate;
    guest["crypto"] = json!("guest");
    if policy::is_understood(&guest) {
        chains.push(policy::chain(chain::GATE_GUEST, &guest)?);
    } else {
        left_out.push(format!(
            "`{}`: the filter has no setting `crypto`.",
            chain::GATE_GUEST
        ));
    }
    for (name, is_cached, identity) in [
        (chain::NATIVE_CACHED, true, native::Identity::Issuer),
        (chain::NATIVE_NAMES, true, native::Identity::All),
        (chain::NATIVE, false, native::Identity::Issuer),
    ] {
        chains.push(native::chain(name, &tokens.keys, is_cached, identity));
    }
    chains.extend(floor::chains(tokens)?);
    chains.extend(peers::chains(tokens));
    chains.extend(deliveries::chains(tokens)?);
    Ok(chains)
}

/// The required outcome of a request with a good token.
fn good_outcome(chain: &str) -> Requirement {
    let roles = match chain {
        chain::NONE | chain::NOTHING => return Requirement::Passed,
        chain::NATIVE_NAMES => native::roles(),
        chain::GATE_NAMES => READER.to_owned(),
        _ => return Requirement::Verified(expected_key()),
    };
    Requirement::Identified {
        key: expected_key(),
        roles,
    }
}

fn contestants(tokens: &Tokens) -> Outcome<Vec<Contestant>> {
    use traffic::{API_KEY, FORGED, FORGED_ES, REPEATED, REPEATED_ES, UNIQUE, UNIQUE_ES};
    let repeated = Credential::Tokens(tokens.list("rs256-repeated")?);
    let unique = Credential::Tokens(tokens.list("rs256-unique")?);
    let forged = Credential::Tokens(tokens.list("rs256-forged")?);
    let repeated_es = Credential::Tokens(tokens.list("es256-repeated")?);
    let unique_es = Credential::Tokens(tokens.list("es256-unique")?);
    let forged_es = Credential::Tokens(tokens.list("es256-forged")?);
    let api_key = Credential::an_api_key();
    let good = good_outcome(chain::GATE);
    let refused = Requirement::Refused("bad_signature");
    let refused_natively = Requirement::Refused("Jwt verification fails");
    let good_native = good_outcome(chain::NATIVE);
    let trivial = Requirement::Swapped("the-key-for-all".to_owned());
    let rows = [
        (chain::NONE, REPEATED, &repeated, Requirement::Passed),
        (chain::NOTHING, REPEATED, &repeated, Requirement::Passed),
        (chain::TRIVIAL, REPEATED, &repeated, trivial),
        (chain::GATE, REPEATED, &repeated, good.clone()),
        (
            chain::GATE_NAMES,
            REPEATED,
            &repeated,
            good_outcome(chain::GATE_NAMES),
        ),
        (chain::GATE_10000, REPEATED, &repeated, good.clone()),
        (chain::GATE_AUDIT, REPEATED, &repeated, good.clone()),
        (chain::GATE_RECORDS, REPEATED, &repeated, good.clone()),
        (
            chain::NATIVE_CACHED,
            REPEATED,
            &repeated,
            good_native.clone(),
        ),
        (
            chain::NATIVE_NAMES,
            REPEATED,
            &repeated,
            good_outcome(chain::NATIVE_NAMES),
        ),
        (chain::NATIVE, REPEATED, &repeated, good_native.clone()),
        (chain::GATE, UNIQUE, &unique, good.clone()),
        (chain::GATE_GUEST, UNIQUE, &unique, good.clone()),
        (chain::NATIVE_CACHED, UNIQUE, &unique, good_native.clone()),
        (chain::NATIVE, UNIQUE, &unique, good_native.clone()),
        (chain::GATE, FORGED, &forged, refused.clone()),
        (
            chain::NATIVE_CACHED,
            FORGED,
            &forged,
            refused_natively.clone(),
        ),
        (chain::NATIVE, FORGED, &forged, refused_natively.clone()),
        (chain::GATE, REPEATED_ES, &repeated_es, good.clone()),
        (
            chain::NATIVE_CACHED,
            REPEATED_ES,
            &repeated_es,
            good_native.clone(),
        ),
        (chain::GATE, UNIQUE_ES, &unique_es, good.clone()),
        (chain::GATE_GUEST, UNIQUE_ES, &unique_es, good),
        (chain::NATIVE, UNIQUE_ES, &unique_es, good_native),
        (chain::GATE, FORGED_ES, &forged_es, refused),
        (chain::NATIVE, FORGED_ES, &forged_es, refused_natively),
        (chain::GATE, API_KEY, &api_key, Requirement::Cleaned),
        (chain::NATIVE, API_KEY, &api_key, Requirement::Cleaned),
    ];
    let rows = rows
        .into_iter()
        .map(|(chain, traffic, credential, requirement)| Contestant {
            chain,
            traffic,
            credential: credential.clone(),
            requirement,
        });
    let rows = rows.chain(floor::contestants(tokens)?);
    let rows = rows.chain(peers::contestants(tokens)?);
    Ok(rows.chain(deliveries::contestants()?).collect())
}
