//! Sets of n8n's API-key scopes.

mod table;

use std::fmt;

use strsim::levenshtein;
use thiserror::Error;

use super::line::{Line, Lines};
use table::{SCOPES, WILDCARDS};

/// The scope of the gate's own operation that runs a workflow. n8n has it for the users of its editor, and
/// not for API keys.
pub(super) const RUN_WORKFLOW: &str = "workflow:execute";

/// The lines of n8n in which the gate carries out operations itself.
pub(super) const WITH_OWN: Lines = Lines::of(&[Line::V2_41]);

/// The scopes of operations that the gate itself carries out.
const OWN: [(&str, Lines); 1] = [(RUN_WORKFLOW, WITH_OWN)];

/// A scope that an operation needs: the index of its bit in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(u8);

/// What no bit stands for: the operation is for sets of all scopes alone.
const EVERYTHING: Scope = Scope(u8::MAX);

impl Scope {
    /// Its name; `*`: all scopes.
    pub fn name(self) -> &'static str {
        known().nth(self.0.into()).map_or("*", |(name, _)| name)
    }
}

/// The scope with this name. For the tables of operations, which are made when this is compiled: a table with
/// another name does not compile.
#[allow(
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "the compiler evaluates it, and there are not that many scopes"
)]
pub(super) const fn scope(name: &str) -> Scope {
    match (index_in(&SCOPES, name), index_in(&OWN, name)) {
        (Some(index), _) => Scope(index as u8),
        (None, Some(index)) => Scope(SCOPES.len().saturating_add(index) as u8),
        (None, None) if is(name, "*") => EVERYTHING,
        (None, None) => panic!("no scope has this name"),
    }
}

const fn index_in(mut list: &[(&str, Lines)], name: &str) -> Option<usize> {
    let mut index: usize = 0;
    while let [(own, _), rest @ ..] = list {
        if is(own, name) {
            return Some(index);
        }
        index = index.saturating_add(1);
        list = rest;
    }
    None
}

const fn is(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([first, rest @ ..], [other_first, other_rest @ ..]) = (one, other) {
        if *first != *other_first {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

/// The right to use n8n's internal API with a token.
pub const REST_SCOPE: &str = "rest";

/// The right to a log-in of a browser.
pub const EMBED_SCOPE: &str = "embed";

/// The gate's own scopes for other surfaces than the public API: no key of n8n has them, and `*` does not
/// contain them.
pub const SURFACE_SCOPES: [&str; 2] = [REST_SCOPE, EMBED_SCOPE];

/// The bits of one integer of a set.
const BITS: usize = u64::BITS as usize;
const INTEGERS: usize = SCOPES.len().saturating_add(OWN.len()).div_ceil(BITS);

/// A set of n8n scopes, or all of them, those of later n8n versions included; and the gate's own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ScopeSet {
    all: bool,
    /// One for each of [`SURFACE_SCOPES`].
    surfaces: [bool; SURFACE_SCOPES.len()],
    /// One bit for each of [`SCOPES`], and then for each of [`OWN`].
    bits: [u64; INTEGERS],
}

/// A scope that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("n8n has no scope {scope:?}")]
pub struct UnknownScope {
    /// The scope that does not exist.
    pub scope: String,
    /// The nearest scope that exists, in the form that was asked for; `None`: nothing is near.
    pub nearest: Option<&'static str>,
}

impl ScopeSet {
    /// Adds `workflow:read`, `workflow:*`, `*` or one of the gate's own.
    pub fn insert(&mut self, scope: &str) -> Result<(), UnknownScope> {
        if scope == "*" {
            self.all = true;
            return Ok(());
        }
        if let Some(own) = surface(&mut self.surfaces, scope) {
            *own = true;
            return Ok(());
        }
        let known = match scope.strip_suffix('*') {
            Some(resource) if resource.ends_with(':') => {
                self.add_where(|known| known.starts_with(resource))
            }
            _ => self.add_where(|known| known == scope),
        };
        if known {
            Ok(())
        } else {
            Err(UnknownScope {
                scope: scope.to_owned(),
                nearest: nearest(scope),
            })
        }
    }

    /// Whether a scope that an operation needs is in the set.
    pub fn holds(&self, scope: Scope) -> bool {
        // No integer has a bit for everything.
        self.all || self.has(scope.0.into())
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        if SURFACE_SCOPES.contains(&scope) {
            return self.surfaces().any(|own| own == scope);
        }
        self.all || index_of(scope).is_some_and(|index| self.has(index))
    }

    /// Whether the set is `*`: only that allows an operation that the gate does not know.
    pub const fn is_all(&self) -> bool {
        self.all
    }

    /// Whether nothing is allowed on the public API.
    pub fn is_empty(&self) -> bool {
        !self.all && self.bits == [0; INTEGERS]
    }

    /// `*`.
    pub fn everything() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Adds everything that is in `other`.
    pub fn extend(&mut self, other: &Self) {
        self.all |= other.all;
        for (own, others) in self.surfaces.iter_mut().zip(other.surfaces) {
            *own |= others;
        }
        for (own, others) in self.bits.iter_mut().zip(other.bits) {
            *own |= others;
        }
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = match (self.all, other.all) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => {
                let mut both = self.clone();
                for (own, others) in both.bits.iter_mut().zip(other.bits) {
                    *own &= others;
                }
                both
            }
        };
        both.surfaces = self.surfaces;
        for (own, others) in both.surfaces.iter_mut().zip(other.surfaces) {
            *own &= others;
        }
        both
    }

    /// The known scopes in the set: n8n's, sorted, and then those of the gate. `*` holds more than these.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.members().map(|(_, (scope, _))| scope)
    }

    /// What of the set keys of a line of n8n can have.
    #[must_use]
    pub fn within(&self, line: Line) -> Self {
        let mut within = self.clone();
        let members = self
            .members()
            .filter(|(_, (_, lines))| !lines.contain(line));
        for (index, _) in members {
            let (word, bit) = position(index);
            if let Some(word) = within.bits.get_mut(word) {
                *word &= !bit;
            }
        }
        within
    }

    /// The scopes in the set that mean nothing in a line of n8n, as they were written: those that a wildcard
    /// brings in beside others are not among them.
    pub fn foreign_to(&self, line: Line) -> impl Iterator<Item = &'static str> + '_ {
        let is_of = |scope: &str, resource: &str| {
            let rest = scope.strip_prefix(resource);
            rest.is_some_and(|rest| rest.starts_with(':'))
        };
        let foreign = self
            .members()
            .filter(move |(_, (_, lines))| !self.all && !lines.contain(line));
        foreign.map(|(_, (scope, _))| scope).filter(move |scope| {
            let resource = scope
                .split_once(':')
                .map_or(*scope, |(resource, _)| resource);
            let mut whole = known()
                .enumerate()
                .filter(|(_, (other, _))| is_of(other, resource));
            let is_wildcard = whole.clone().all(|(index, _)| self.has(index));
            let means_something = whole.any(|(_, (_, lines))| lines.contain(line));
            !(is_wildcard && means_something)
        })
    }

    fn members(&self) -> impl Iterator<Item = (usize, (&'static str, Lines))> + '_ {
        known()
            .enumerate()
            .filter(|(index, _)| self.all || self.has(*index))
    }

    /// The scopes for other surfaces in the set.
    fn surfaces(&self) -> impl Iterator<Item = &'static str> + '_ {
        let own = SURFACE_SCOPES.into_iter().zip(self.surfaces);
        own.filter_map(|(scope, is_in)| is_in.then_some(scope))
    }

    fn add_where(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let mut found = false;
        for (index, _) in known().enumerate().filter(|(_, (scope, _))| wanted(scope)) {
            let (word, bit) = position(index);
            if let Some(word) = self.bits.get_mut(word) {
                *word |= bit;
                found = true;
            }
        }
        found
    }

    fn has(&self, index: usize) -> bool {
        let (word, bit) = position(index);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = out.debug_set();
        if self.all {
            set.entry(&"*");
        } else {
            set.entries(self.iter());
        }
        set.entries(self.surfaces()).finish()
    }
}

/// All scopes, in the order of their bits, with the lines whose keys can have them.
fn known() -> impl Iterator<Item = (&'static str, Lines)> + Clone {
    SCOPES.iter().chain(&OWN).copied()
}

fn index_of(scope: &str) -> Option<usize> {
    let own = || OWN.iter().position(|(own, _)| *own == scope);
    let of_n8n = SCOPES.binary_search_by_key(&scope, |(known, _)| known).ok();
    of_n8n.or_else(|| Some(SCOPES.len().saturating_add(own()?)))
}

/// Where a set has one of the scopes for other surfaces.
fn surface<'s>(set: &'s mut [bool; SURFACE_SCOPES.len()], scope: &str) -> Option<&'s mut bool> {
    let index = SURFACE_SCOPES.iter().position(|own| *own == scope)?;
    set.get_mut(index)
}

/// The index of a scope's integer in the set, and its bit there.
const fn position(index: usize) -> (usize, u64) {
    let shift = index % BITS;
    (index / BITS, 1 << shift)
}

/// The known scope that an operator may have meant by `scope`.
fn nearest(scope: &str) -> Option<&'static str> {
    // A longer text is not a misspelling, and the comparison would take time.
    const LONGEST: usize = 64;
    if scope.len() > LONGEST {
        return None;
    }
    let furthest = scope.len().div_ceil(4);
    let scope = scope.to_ascii_lowercase();
    let wildcards = WILDCARDS.iter().filter(|_| scope.ends_with('*'));
    known()
        .map(|(scope, _)| scope)
        .chain(wildcards.copied())
        .map(|known| (levenshtein(&scope, &known.to_ascii_lowercase()), known))
        .filter(|(edits, _)| *edits <= furthest)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &[&str]) -> ScopeSet {
        let mut set = ScopeSet::default();
        for scope in scopes {
            set.insert(scope).unwrap();
        }
        set
    }

    fn names(set: &ScopeSet) -> Vec<&'static str> {
        set.iter().collect()
    }

    #[test]
    fn a_single_scope_holds_itself_alone() {
        assert_eq!(names(&set(&["workflow:read"])), ["workflow:read"]);
        assert!(!set(&["workflow:read"]).contains("workflow:list"));
        assert!(!set(&["workflow:read"]).contains("nothing:known"));
    }

    #[test]
    fn every_scope_has_a_bit_of_its_own() {
        let names_of =
            |list: &[(&'static str, Lines)]| list.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let (of_n8n, own) = (names_of(&SCOPES), names_of(&OWN));
        for scope in of_n8n.iter().chain(&own) {
            assert_eq!(names(&set(&[scope])), [*scope]);
        }
        assert!(own.iter().all(|own| !of_n8n.contains(own)));
    }

    #[test]
    fn a_scope_of_an_operation_is_in_the_sets_that_contain_its_name() {
        let everything = ScopeSet::everything();
        for (name, _) in known() {
            let needed = scope(name);
            assert_eq!(needed.name(), name);
            assert!(set(&[name]).holds(needed) && everything.holds(needed));
            assert!(known().all(|(other, _)| set(&[other]).holds(needed) == (other == name)));
        }
        let needed = scope("*");
        assert_eq!(needed.name(), "*");
        let everything_known = set(&known().map(|(name, _)| name).collect::<Vec<_>>());
        assert!(everything.holds(needed) && !everything_known.holds(needed));
        assert!(!ScopeSet::default().holds(needed));
    }

    #[test]
    fn a_set_has_what_means_nothing_in_a_line_of_n8n() {
        let foreign = |scopes: &[&str]| set(scopes).foreign_to(Line::V1_123).collect::<Vec<_>>();
        assert_eq!(foreign(&["workflow:read", "tag:*", "*", "rest"]), [""; 0]);
        // A wildcard stands for what there is.
        assert_eq!(foreign(&["workflow:*", "project:*"]), [""; 0]);
        assert_eq!(
            foreign(&["project:manageMembers", "project:update"]),
            ["project:manageMembers"]
        );
        assert_eq!(foreign(&["otel:*"]), ["otel:manage"]);
        assert_eq!(foreign(&["workflow:execute"]), [RUN_WORKFLOW]);
        assert_eq!(
            set(&["project:manageMembers"])
                .foreign_to(Line::V2_41)
                .count(),
            0
        );
        let both = set(&[
            "project:manageMembers",
            "project:update",
            "workflow:execute",
            "rest",
        ]);
        assert_eq!(names(&both.within(Line::V1_123)), ["project:update"]);
        assert!(both.within(Line::V1_123).contains("rest"));
        assert_eq!(both.within(Line::V2_41), both);
        assert!(set(&["*"]).within(Line::V1_123).is_all());
    }

    #[test]
    fn a_resource_wildcard_holds_that_resource_alone() {
        assert_eq!(
            names(&set(&["workflowTags:*"])),
            ["workflowTags:list", "workflowTags:update"]
        );
        assert!(!set(&["workflow:*"]).contains("workflowTags:list"));
        assert!(set(&["workflow:*"]).contains(RUN_WORKFLOW));
    }

    #[test]
    fn a_set_is_empty_until_something_is_in_it() {
        assert!(ScopeSet::default().is_empty());
        assert!(names(&ScopeSet::default()).is_empty());
        assert!(!set(&["workflow:read"]).is_empty());
        assert!(!set(&["*"]).is_empty());
        assert_eq!(names(&set(&["*"])).len(), known().count());
    }

    /// `workflow*` would hold `workflowTags:update`, too.
    #[test]
    fn a_star_stands_behind_a_whole_resource_alone() {
        for written in [
            "workflow*",
            "w*",
            "workflow:r*",
            "*:read",
            "*workflow:*",
            "* ",
        ] {
            let mut set = ScopeSet::default();
            assert!(set.insert(written).is_err(), "{written}");
            assert!(set.is_empty(), "{written}");
        }
    }

    #[test]
    fn only_a_star_holds_what_this_filter_does_not_know() {
        let everything_known = set(&known().map(|(name, _)| name).collect::<Vec<_>>());
        assert!(!everything_known.is_all());
        assert!(!everything_known.contains("later:scope"));
        assert!(set(&["*"]).is_all());
        assert!(set(&["*"]).contains("later:scope"));
    }

    /// A session has more rights than any key: what every role grants must not include it.
    #[test]
    fn the_internal_api_is_open_only_where_it_is_written() {
        assert!(set(&["rest"]).contains("rest"));
        assert!(!set(&["*"]).contains("rest"));
        assert!(!set(&["workflow:*"]).contains("rest"));
        assert!(!ScopeSet::everything().contains("rest"));
        assert!(set(&["rest"]).is_empty(), "it opens no operation");
        assert!(names(&set(&["rest"])).is_empty(), "no key has it");
        for (one, other, both) in [
            (&["rest"][..], &["*"][..], false),
            (&["rest", "*"], &["*"], false),
            (&["rest", "*"], &["rest"], true),
            (&["rest"], &["rest", "workflow:read"], true),
        ] {
            let (one, other) = (set(one), set(other));
            assert_eq!(one.intersection(&other).contains("rest"), both);
            assert_eq!(other.intersection(&one).contains("rest"), both);
        }
        let mut some = set(&["workflow:read"]);
        some.extend(&set(&["rest"]));
        assert!(some.contains("rest"));
        assert_eq!(format!("{some:?}"), r#"{"workflow:read", "rest"}"#);
    }

    #[test]
    fn an_intersection_is_never_wider_than_either_side() {
        let some = set(&["workflow:list", "workflow:read", "variable:list"]);
        let other = set(&["workflow:read", "variable:*"]);
        assert_eq!(
            names(&some.intersection(&other)),
            ["variable:list", "workflow:read"]
        );
        assert_eq!(some.intersection(&set(&["*"])), some);
        assert_eq!(set(&["*"]).intersection(&some), some);
        assert!(some.intersection(&ScopeSet::default()).is_empty());
        assert!(set(&["*"]).intersection(&set(&["*"])).is_all());
    }

    #[test]
    fn extending_joins_both_sides() {
        let mut some = ScopeSet::default();
        some.extend(&set(&["workflow:list"]));
        some.extend(&set(&["communityPackage:list"]));
        assert_eq!(names(&some), ["communityPackage:list", "workflow:list"]);
        some.extend(&set(&["*"]));
        assert!(some.is_all());
    }

    #[test]
    fn a_slip_of_the_pen_gets_the_scope_that_was_meant() {
        for (written, meant) in [
            ("workflow:raed", Some("workflow:read")),
            ("workflows:list", Some("workflow:list")),
            ("Workflow:List", Some("workflow:list")),
            ("workflows:*", Some("workflow:*")),
            ("worflow:*", Some("workflow:*")),
            ("payroll:approve", None),
            ("", None),
            ("**", None),
            (":*", None),
        ] {
            assert_eq!(
                ScopeSet::default().insert(written),
                Err(UnknownScope {
                    scope: written.to_owned(),
                    nearest: meant,
                }),
                "{written}"
            );
        }
    }
}
