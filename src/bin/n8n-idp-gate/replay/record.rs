//! An audit record, as far as a replay uses it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use n8n_idp_gate::decide::OtherDecision;
use n8n_idp_gate::identity::Kind;
use n8n_idp_gate::n8n::{ScopeSet, Surface, SURFACE_SCOPES};
use n8n_idp_gate::reply::Reason;
use serde::Deserialize;

use super::nature::{nature, Nature};

/// The version of the schema that is known.
const VERSION: u64 = 1;

/// A text of this many characters may be cut: one that is cut has 512 at most, and may end before an escape.
const CUT: usize = 500;

/// An audit record. A field that is absent was not known to the gate.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Record {
    v: u64,
    pub(crate) time: String,
    decision: String,
    reason: Option<String>,
    missing: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) surface: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) credential: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) client: Option<String>,
    kind: Option<String>,
    pub(crate) jti: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) claimed: Option<Claimed>,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) introspection: Option<String>,
    upstream_status: Option<u64>,
}

/// What a refused token says about itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claimed {
    pub(crate) iss: Option<String>,
    #[serde(default)]
    pub(crate) aud: String,
    pub(crate) client: Option<String>,
}

/// A signed delivery.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) sender: String,
}

/// The claims of an n8n API key.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) sub: Option<String>,
}

impl Record {
    /// Reads a record. An error says why it cannot be replayed.
    pub(crate) fn of(json: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if record.v != VERSION {
            return Err(format!(
                "the record has version {} of the schema, and this program knows {VERSION}",
                record.v
            ));
        }
        let is_known = record.reason.is_none() || record.reason().is_some();
        if !is_known || record.decided().is_none() {
            return Err(
                "the record has a decision or reason that this program does not know".into(),
            );
        }
        Ok(record)
    }

    /// All that a verdict depends on: records of the same are decided alike.
    pub(crate) fn key(&self) -> String {
        let timeless = Self {
            time: String::new(),
            request_id: None,
            ..self.clone()
        };
        format!("{timeless:?}")
    }

    /// Why a policy does not decide about what is recorded; `None`: it does.
    pub(crate) fn skipped(&self) -> Option<&'static str> {
        const EVENTS: [&str; 2] = ["logout", "security_event"];
        if self.upstream_status.is_some() || self.decision == "answered" {
            return Some("about a response of n8n");
        }
        if self.decision == "abandoned" {
            return Some("the client left before the decision");
        }
        let operation = self.operation.as_deref().unwrap_or_default();
        if self.is_on("gate") && EVENTS.contains(&operation) {
            return Some("an event of a provider");
        }
        if operation == "embed_login" {
            return Some("a log-in of an embedded page");
        }
        match self.reason().map(nature) {
            Some(Nature::Gate) => Some("refused by a bound or failure of the gate"),
            Some(Nature::Once) => Some("refused for an id that was used before"),
            _ => None,
        }
    }

    /// The decision in the terms of comparisons.
    pub(crate) fn decided(&self) -> Option<OtherDecision> {
        let words = [
            "forward",
            "pass",
            "reject",
            "respond",
            "abandoned",
            "answered",
        ];
        let mut words = words.into_iter();
        let missing = self.missing.iter().flat_map(|missing| missing.split(' '));
        let missing: Option<Vec<_>> = missing.map(scope).collect();
        Some(OtherDecision {
            decision: words.find(|word| *word == self.decision)?,
            reason: self.reason().map(Reason::as_str),
            principal: self.principal.as_deref().map(Into::into),
            missing: missing?,
            differs: Vec::new(),
        })
    }

    /// The reason of the refusal. Its data is that of an example.
    pub(crate) fn reason(&self) -> Option<&'static Reason> {
        static REASONS: LazyLock<BTreeMap<&'static str, Reason>> = LazyLock::new(|| {
            let all = Reason::examples().into_iter();
            all.map(|reason| (reason.as_str(), reason)).collect()
        });
        REASONS.get(self.reason.as_deref()?)
    }

    /// Whether it is about a surface of this name.
    pub(crate) fn is_on(&self, surface: &str) -> bool {
        self.surface.as_deref() == Some(surface)
    }

    /// Whether it is about a webhook, form or other trigger: then its path says which.
    pub(crate) fn is_of_trigger(&self) -> bool {
        let surfaces = Surface::ALL.into_iter();
        let mut surfaces = surfaces.filter(|surface| self.is_on(surface.as_str()));
        surfaces.any(|surface| {
            !matches!(
                surface,
                Surface::PublicApi
                    | Surface::Rest
                    | Surface::Ui
                    | Surface::Gate
                    | Surface::Health
                    | Surface::Metrics
                    | Surface::Oauth
                    | Surface::Outside
            )
        })
    }

    /// The kind of the verified caller.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let kinds = [Kind::App, Kind::User, Kind::Unknown];
        let mut kinds = kinds.into_iter();
        kinds.find(|kind| self.kind.as_deref() == Some(kind.as_str()))
    }

    /// Whether every text that decides something is there as it was: none is cut, and none has an escape.
    pub(crate) fn is_whole(&self) -> bool {
        let claimed = self.claimed.as_ref();
        let texts = [
            Some(&self.path),
            Some(&self.method),
            self.host.as_ref(),
            self.iss.as_ref(),
            self.sub.as_ref(),
            self.client.as_ref(),
            self.jti.as_ref(),
            claimed.and_then(|claimed| claimed.iss.as_ref()),
            claimed.map(|claimed| &claimed.aud),
        ];
        let mut texts = texts.into_iter().flatten();
        texts.all(|text| text.len() < CUT && !text.contains('\\'))
    }
}

/// The n8n scope of this name.
fn scope(name: &str) -> Option<&'static str> {
    let everything = ScopeSet::everything();
    let found = everything.iter().find(|known| *known == name);
    found.or_else(|| SURFACE_SCOPES.into_iter().find(|known| *known == name))
}
