//! Which calls of the public API may have a static API key.

use super::below::Below;
use super::pattern::Comparison;
use super::PathPattern;
use crate::http::HostPattern;
use crate::n8n::Route;

/// What happens to calls with a static API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeys {
    /// They pass unchanged: the gate is additive.
    Pass,
    /// They are refused: single sign-on is enforced.
    Refuse,
}

/// What happens to calls with a static API key, by host and path. The first match applies.
#[derive(Clone, Debug)]
pub struct ApiKeyRules {
    /// In the order of the configuration.
    pub rules: Vec<ApiKeyRule>,
    /// For calls that no rule matches.
    pub otherwise: ApiKeys,
}

/// A rule for some of these calls.
#[derive(Clone, Debug)]
pub struct ApiKeyRule {
    /// The host of the request; `None`: any.
    pub host: Option<HostPattern>,
    /// The paths, below the endpoint of the public API; `None`: all.
    pub pattern: Option<PathPattern>,
    /// What happens to them.
    pub api_keys: ApiKeys,
}

impl ApiKeyRules {
    /// Whether a rule names a host.
    pub fn name_hosts(&self) -> bool {
        self.rules.iter().any(|rule| rule.host.is_some())
    }

    /// What happens to a call to `route` on `host`, as [`crate::http::hostname::requested`] gives it.
    ///
    /// An unclear call is refused. Without a host, of the rules that name hosts only those that refuse
    /// match. Only rules that refuse ignore case: n8n ignores it for some segments, and no other case
    /// avoids a refusal.
    pub fn choose(&self, host: Option<&str>, route: &Route<'_>) -> ApiKeys {
        if self.rules.is_empty() {
            return self.otherwise;
        }
        let below = Below::new(route.below_prefix().iter().map(AsRef::<str>::as_ref));
        let rule = self.rules.iter().find(|rule| rule.matches(host, &below));
        rule.map_or(self.otherwise, |rule| rule.api_keys)
    }
}

impl ApiKeyRule {
    /// Whether this rule matches every call that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        let host_covers = match (&self.host, &other.host) {
            (None, _) => true,
            (Some(own), Some(others)) => own.covers(others),
            (Some(_), None) => false,
        };
        let path_covers = match (&self.pattern, &other.pattern) {
            (None, _) => true,
            (Some(own), Some(others)) => own.covers(others),
            (Some(own), None) => own.is_whole_endpoint(),
        };
        host_covers && path_covers
    }

    /// Whether some call that this refuses passes by `later` when it asks for another host.
    pub fn is_bypassed_by(&self, later: &Self) -> bool {
        let has_other_hosts = match (&self.host, &later.host) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(own), Some(wider)) => wider.covers(own) && !own.covers(wider),
        };
        let paths_meet = match (&self.pattern, &later.pattern) {
            (Some(own), Some(others)) => own.meets(others),
            _ => true,
        };
        later.api_keys == ApiKeys::Pass && has_other_hosts && paths_meet
    }

    fn matches(&self, host: Option<&str>, below: &Below<'_>) -> bool {
        let comparison = match self.api_keys {
            ApiKeys::Pass => Comparison::Exact,
            ApiKeys::Refuse => Comparison::IgnoringCase,
        };
        let host_fits = match (&self.host, host) {
            (None, _) => true,
            (Some(pattern), Some(host)) => pattern.matches(host),
            (Some(_), None) => self.api_keys == ApiKeys::Refuse,
        };
        let path_fits = |pattern: &PathPattern| pattern.matches(below, comparison);
        host_fits && self.pattern.as_ref().is_none_or(path_fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n8n::{classify, Endpoints, Prefixes};
    use ApiKeys::{Pass, Refuse};

    type Row = (Option<&'static str>, Option<&'static str>, ApiKeys);

    fn rules(rows: &[Row], otherwise: ApiKeys) -> ApiKeyRules {
        let endpoints = Endpoints::default();
        let rule = |(host, path, api_keys): &Row| ApiKeyRule {
            host: host.map(|host| HostPattern::parse(host).unwrap()),
            pattern: path.map(|path| PathPattern::parse_api(path, &endpoints).unwrap()),
            api_keys: *api_keys,
        };
        ApiKeyRules {
            rules: rows.iter().map(rule).collect(),
            otherwise,
        }
    }

    fn choose(rules: &ApiKeyRules, host: Option<&str>, path: &str) -> ApiKeys {
        let route = classify(&Prefixes::default(), path.as_bytes()).unwrap();
        rules.choose(host, &route)
    }

    #[test]
    fn the_first_rule_of_host_and_path_applies() {
        let rules = rules(
            &[
                (
                    Some("legacy.example"),
                    Some("/api/v1/credentials/**"),
                    Refuse,
                ),
                (Some("legacy.example"), None, Pass),
                (None, Some("/api/v1/executions/**"), Pass),
            ],
            Refuse,
        );
        let legacy = Some("legacy.example");
        let other = Some("n8n.example");
        for (host, path, expected) in [
            (legacy, "/api/v1/workflows", Pass),
            (legacy, "/api/v1/credentials", Refuse),
            (legacy, "/api/v1/credentials/7", Refuse),
            (other, "/api/v1/workflows", Refuse),
            (other, "/api/v1/executions", Pass),
            (other, "/api/v1/executions/7/", Pass),
            (None, "/api/v1/workflows", Refuse),
            (None, "/api/v1/executions/7", Pass),
            (None, "/api/v1/credentials/7", Refuse),
        ] {
            assert_eq!(choose(&rules, host, path), expected, "{host:?} {path}");
        }
    }

    #[test]
    fn no_case_of_a_path_avoids_a_rule() {
        let strict = rules(&[(None, Some("/api/v1/workflows/**"), Refuse)], Pass);
        let lax = rules(&[(None, Some("/api/v1/workflows/**"), Pass)], Refuse);
        for path in [
            "/api/v1/Workflows",
            "/API/V1/WORKFLOWS/7",
            "/api/v1/workflowS/",
        ] {
            assert_eq!(choose(&strict, None, path), Refuse, "{path}");
        }
        assert_eq!(choose(&lax, None, "/API/v1/workflows"), Pass);
        assert_eq!(choose(&lax, None, "/api/v1/Workflows"), Refuse);
        assert_eq!(choose(&strict, None, "/api/v1/users"), Pass);
    }

    #[test]
    fn a_call_without_a_host_is_no_better_off_than_on_the_worst_host() {
        let rules = rules(
            &[
                (Some("a.example"), Some("/api/v1/users"), Refuse),
                (Some("b.example"), Some("/api/v1/tags"), Pass),
                (None, Some("/api/v1/users"), Pass),
            ],
            Refuse,
        );
        assert_eq!(choose(&rules, Some("c.example"), "/api/v1/users"), Pass);
        assert_eq!(choose(&rules, None, "/api/v1/users"), Refuse);
        assert_eq!(choose(&rules, None, "/api/v1/tags"), Refuse);
    }

    #[test]
    fn no_mixture_of_cases_avoids_a_rule() {
        // n8n reads `/api/v1/Workflows/ABC` as the workflow `ABC`, which must not pass.
        let rules = rules(
            &[
                (None, Some("/api/v1/workflows/abc"), Pass),
                (None, Some("/api/v1/workflows/**"), Refuse),
            ],
            Pass,
        );
        assert_eq!(choose(&rules, None, "/api/v1/workflows/abc"), Pass);
        assert_eq!(choose(&rules, None, "/api/v1/workflows/ABC"), Refuse);
        assert_eq!(choose(&rules, None, "/api/v1/Workflows/ABC"), Refuse);
    }

    #[test]
    fn hosts_matter_where_some_rule_names_one() {
        let rows: [(&[Row], bool); 3] = [
            (&[], false),
            (&[(None, Some("/api/v1/users"), Refuse)], false),
            (
                &[
                    (None, Some("/api/v1/users"), Refuse),
                    (Some("a.example"), None, Pass),
                ],
                true,
            ),
        ];
        for (rows, expected) in rows {
            assert_eq!(rules(rows, Pass).name_hosts(), expected, "{rows:?}");
        }
    }

    /// Whether the first of two rules says so of the second.
    fn of_two(says: fn(&ApiKeyRule, &ApiKeyRule) -> bool, one: Row, other: Row) -> bool {
        let rules = rules(&[one, other], Pass).rules;
        says(&rules[0], &rules[1])
    }

    #[test]
    fn a_rule_covers_one_of_fewer_hosts_and_fewer_paths() {
        let hosts = [None, Some("*.example.com"), Some("a.example.com")];
        let paths = [
            Some("/api/**"),
            Some("/api/v1/users/**"),
            Some("/api/v1/users/7"),
        ];
        for (wide_host, host) in (0..3).flat_map(|one| (0..3).map(move |other| (one, other))) {
            for (wide, path) in (0..3).flat_map(|one| (0..3).map(move |other| (one, other))) {
                let one = (hosts[wide_host], paths[wide], Pass);
                let other = (hosts[host], paths[path], Refuse);
                let expected = wide_host <= host && wide <= path;
                let found = of_two(ApiKeyRule::covers, one, other);
                assert_eq!(found, expected, "{one:?} {other:?}");
            }
        }
        for (one, other, expected) in [
            (None, Some("/api/v1/users"), true),
            (None, None, true),
            (Some("/api/**"), None, true),
            (Some("/api/v1/**"), None, false),
            (Some("/api/v1/users"), Some("/api/v1/tags"), false),
        ] {
            let found = of_two(ApiKeyRule::covers, (None, one, Pass), (None, other, Pass));
            assert_eq!(found, expected, "{one:?} {other:?}");
        }
    }

    /// A rule that refuses on some hosts only is useless if a later one lets the same call pass on
    /// others: a client chooses its `Host`.
    #[test]
    fn a_refusal_is_avoided_by_a_later_pass_on_other_hosts() {
        let users = Some("/api/v1/users/**");
        let here = Some("a.example.com");
        let around = |one: Row, other: Row| of_two(ApiKeyRule::is_bypassed_by, one, other);
        for (own, later, expected) in [
            (here, None, true),
            (here, Some("*.example.com"), true),
            (Some("*.a.example.com"), Some("*.example.com"), true),
            (here, here, false),
            (here, Some("b.example.com"), false),
            (Some("*.example.com"), here, false),
            (Some("*.example.com"), Some("*.example.com"), false),
            (None, None, false),
            (None, here, false),
        ] {
            let found = around((own, users, Refuse), (later, users, Pass));
            assert_eq!(found, expected, "{own:?} {later:?}");
            let refused = around((own, users, Refuse), (later, users, Refuse));
            assert!(!refused, "{own:?} {later:?}: the later one refuses too");
        }
        for (own, later, expected) in [
            (users, Some("/api/v1/users/7"), true),
            (Some("/api/v1/users/7"), users, true),
            (users, None, true),
            (None, users, true),
            (None, None, true),
            (users, Some("/api/v1/tags/**"), false),
        ] {
            let found = around((here, own, Refuse), (None, later, Pass));
            assert_eq!(found, expected, "{own:?} {later:?}");
        }
    }
}
