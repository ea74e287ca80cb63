//! What a replay found, counted.

use std::collections::BTreeMap;

use n8n_idp_gate::decide::OtherDecision;
use n8n_idp_gate::formats::printable::printable;

use super::judge::{Needs, Verdict};
use super::record::Record;

/// How many groups are kept: what names them is written by clients, too.
const MAX_GROUPS: usize = 1000;

/// The longest text of a record that is shown, in characters.
const LONGEST: usize = 200;

/// How many lines that cannot be read are named.
const MAX_NAMED: usize = 20;

/// What a replay found.
#[derive(Default)]
pub(crate) struct Summary {
    /// How many lines were read, and how many of them have no record.
    pub(crate) lines: u64,
    pub(crate) others: u64,
    /// The records that were decided again.
    pub(crate) replayed: u64,
    pub(crate) same: u64,
    pub(crate) unknown: u64,
    /// How many there are of each kind of change.
    pub(crate) changed: BTreeMap<Change, u64>,
    /// Why records were left out, and how many of them.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// How many lines or records cannot be read, and the first of them.
    pub(crate) bad: u64,
    pub(crate) named: Vec<String>,
    groups: BTreeMap<Group, Found>,
    open: BTreeMap<Open, Found>,
    /// How many records are in no group, because there were too many groups.
    pub(crate) ungrouped: u64,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// What passed would be refused.
    Refused,
    /// What was refused would pass.
    Allowed,
    /// It would be refused for another reason.
    Reason,
    /// It would pass in another way, such as without a check of its token.
    Decision,
    /// It would pass for another principal.
    Principal,
    /// It would pass with another API key, or as another user of n8n.
    Credential,
}

/// The requests of one caller to one place, for which the same would change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) change: Change,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) before: Decided,
    pub(crate) after: Decided,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decided {
    pub(crate) decision: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) principal: Option<String>,
    pub(crate) missing: Vec<&'static str>,
}

/// The requests of one caller that may be decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Open {
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) needs: Needs,
}

/// The records of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) count: u64,
    pub(crate) first: String,
    pub(crate) last: String,
    /// The id of the first request.
    pub(crate) example: Option<String>,
}

impl Summary {
    /// Counts a record.
    pub(crate) fn add(&mut self, record: &Record, verdict: Verdict) {
        match verdict {
            Verdict::Skipped(why) => {
                count(self.skipped.entry(why).or_default());
                return;
            }
            Verdict::Same => count(&mut self.same),
            Verdict::Unknown(needs) => {
                count(&mut self.unknown);
                let open = Open {
                    who: shown(&who(record)),
                    what: shown(&what(record)),
                    needs,
                };
                let is_kept = found(&mut self.open, open, record);
                self.note_cut(is_kept);
            }
            Verdict::Changed(before, after) => {
                let change = Change::of(&before, &after);
                count(self.changed.entry(change).or_default());
                let group = Group {
                    change,
                    who: shown(&who(record)),
                    what: shown(&what(record)),
                    before: Decided::of(&before),
                    after: Decided::of(&after),
                };
                let is_kept = found(&mut self.groups, group, record);
                self.note_cut(is_kept);
            }
        }
        count(&mut self.replayed);
    }

    /// Counts a line or record that cannot be read.
    pub(crate) fn bad(&mut self, line: &str, problem: &str) {
        count(&mut self.bad);
        if self.named.len() < MAX_NAMED {
            self.named.push(format!("{line}: {problem}"));
        }
    }

    /// The changes, the most frequent first.
    pub(crate) fn changes(&self) -> Vec<(&Group, &Found)> {
        by_count(&self.groups)
    }

    /// What is unknown, the most frequent first.
    pub(crate) fn open(&self) -> Vec<(&Open, &Found)> {
        by_count(&self.open)
    }

    fn note_cut(&mut self, is_kept: bool) {
        if !is_kept {
            count(&mut self.ungrouped);
        }
    }
}

impl Change {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Refused,
        Self::Allowed,
        Self::Reason,
        Self::Decision,
        Self::Principal,
        Self::Credential,
    ];

    fn of(before: &OtherDecision, after: &OtherDecision) -> Self {
        match (before.decision, after.decision) {
            ("reject", "reject") => Self::Reason,
            (_, "reject") => Self::Refused,
            ("reject", _) => Self::Allowed,
            (before, after) if before != after => Self::Decision,
            _ if before.principal != after.principal => Self::Principal,
            _ => Self::Credential,
        }
    }

    /// The name in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "newly_refused",
            Self::Allowed => "newly_allowed",
            Self::Reason => "other_reason",
            Self::Decision => "other_decision",
            Self::Principal => "other_principal",
            Self::Credential => "other_credential",
        }
    }

    /// The name for people.
    pub(crate) fn in_words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

/// Adds a record to its group; `false`: there are too many groups.
fn found<K: Ord>(groups: &mut BTreeMap<K, Found>, group: K, record: &Record) -> bool {
    if groups.len() >= MAX_GROUPS && !groups.contains_key(&group) {
        return false;
    }
    let found = groups.entry(group).or_default();
    count(&mut found.count);
    // Texts of one form, so that their order is that of time.
    let time = shown(&record.time);
    if found.first.is_empty() || time < found.first {
        found.first = time.clone();
        found.example = record.request_id.as_deref().map(shown);
    }
    if time > found.last {
        found.last = time;
    }
    true
}

fn by_count<K: Ord>(groups: &BTreeMap<K, Found>) -> Vec<(&K, &Found)> {
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
    groups
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// The caller of a record, as far as it is verified.
fn who(record: &Record) -> String {
    let claimed = record.claimed.as_ref();
    let claimed = claimed.and_then(|claimed| claimed.client.as_deref());
    let key = record.api_key.as_ref().and_then(|key| key.sub.as_deref());
    let subject = || record.sub.as_deref().filter(|_| record.client.is_none());
    let verified = match (record.client.as_deref(), subject()) {
        (Some(client), _) => Some(format!("client {client}")),
        (None, Some(subject)) => Some(format!("subject {subject}")),
        (None, None) => None,
    };
    match (&record.principal, verified) {
        (Some(principal), Some(verified)) => format!("{principal} ({verified})"),
        (Some(principal), None) => principal.clone(),
        (None, Some(verified)) => verified,
        (None, None) => match (claimed, key, record.credential.as_deref()) {
            (Some(client), ..) => format!("claims to be client {client}"),
            (_, Some(user), _) => format!("API key that names the n8n user {user}"),
            (_, _, Some("api_key")) => "API key".to_owned(),
            (_, _, Some(credential)) => format!("not verified ({credential})"),
            _ => "no verified caller".to_owned(),
        },
    }
}

/// What a record is about. The path of a webhook says which one it is.
fn what(record: &Record) -> String {
    let instance = record.instance.as_deref().map(|name| format!("{name}: "));
    let what = match (&record.operation, &record.surface) {
        (Some(operation), _) => operation.clone(),
        (None, Some(_)) if record.is_of_trigger() => format!("{} {}", record.method, record.path),
        (None, Some(surface)) => format!("{} {surface}", record.method),
        (None, None) => record.method.clone(),
    };
    instance.unwrap_or_default() + &what
}

impl Decided {
    fn of(decision: &OtherDecision) -> Self {
        Self {
            decision: decision.decision,
            reason: decision.reason,
            principal: decision.principal.as_deref().map(shown),
            missing: decision.missing.clone(),
        }
    }
}

/// A text of a record, of which nothing moves a cursor or ends a line.
fn shown(text: &str) -> String {
    printable(text, LONGEST).into_owned()
}
