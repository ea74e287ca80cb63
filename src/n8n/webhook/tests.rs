//! Which rule is chosen for which path.

use super::*;
use crate::n8n::{classify, Endpoints};

fn rules(patterns: &[&str]) -> WebhookRules {
    WebhookRules::new(
        patterns
            .iter()
            .map(|pattern| WebhookRule {
                pattern: PathPattern::parse(pattern, &Endpoints::default()).unwrap(),
                auth: WebhookAuth::Bearer,
                require: Condition::default(),
                keep_authorization: false,
                cors_preflight: Access::Deny,
            })
            .collect(),
    )
}

/// The pattern of the chosen rule, or what there is instead of one.
fn chosen(patterns: &[&str], path: &str) -> String {
    let endpoints = Endpoints::default();
    let route = classify(&endpoints, path.as_bytes()).unwrap();
    match rules(patterns).choose(&route) {
        RuleChoice::Rule(rule) => rule.pattern.to_string(),
        RuleChoice::Unguarded => "unguarded".to_owned(),
        RuleChoice::NoRule => "no rule".to_owned(),
        RuleChoice::Ambiguous => "ambiguous".to_owned(),
    }
}

fn assert_chosen(patterns: &[&str], table: &[(&str, &str)]) {
    for (path, expected) in table {
        assert_eq!(chosen(patterns, path), *expected, "{path}");
    }
}

#[test]
fn the_first_rule_that_matches_is_chosen() {
    assert_chosen(
        &[
            "/webhook/orders/**",
            "/webhook/*/in",
            "/webhook/exact",
            "/webhook/**",
        ],
        &[
            ("/webhook/orders", "/webhook/orders/**"),
            ("/webhook/orders/", "/webhook/orders/**"),
            ("/webhook/orders/a/b", "/webhook/orders/**"),
            ("/webhook/orders/in", "/webhook/orders/**"),
            ("/webhook/other/in", "/webhook/*/in"),
            ("/webhook/other/in/", "/webhook/*/in"),
            ("/webhook/other/in/x", "/webhook/**"),
            ("/webhook/exact", "/webhook/exact"),
            ("/webhook/exact/x", "/webhook/**"),
            ("/webhook", "/webhook/**"),
            ("/webhook/", "/webhook/**"),
        ],
    );
}

#[test]
fn a_path_without_a_rule_is_refused_where_rules_speak_of_its_kind() {
    assert_chosen(
        &["/webhook/orders"],
        &[
            ("/webhook/other", "no rule"),
            ("/webhook", "no rule"),
            ("/webhook-test/other", "no rule"),
            ("/form/other", "unguarded"),
            ("/mcp/other", "unguarded"),
        ],
    );
}

#[test]
fn a_rule_guards_the_same_hook_in_the_editor() {
    for (rule, test) in [
        ("/webhook/x", "/webhook-test/x"),
        ("/form/x", "/form-test/x"),
        ("/mcp/x", "/mcp-test/x"),
    ] {
        assert_eq!(chosen(&[rule], test), rule);
    }
}

#[test]
fn a_rule_of_its_own_frees_the_test_endpoint_from_the_others() {
    assert_chosen(
        &["/webhook/**", "/webhook-test/y"],
        &[
            ("/webhook-test/y", "/webhook-test/y"),
            ("/webhook-test/x", "no rule"),
            ("/webhook/y", "/webhook/**"),
        ],
    );
}

#[test]
fn waiting_executions_are_guarded_by_rules_that_name_them_alone() {
    assert_eq!(chosen(&["/webhook/**"], "/webhook-waiting/7"), "unguarded");
    assert_eq!(chosen(&["/form/**"], "/form-waiting/7"), "unguarded");
    assert_eq!(
        chosen(&["/webhook-waiting/**"], "/webhook-waiting/7"),
        "/webhook-waiting/**"
    );
}

#[test]
fn the_mcp_server_of_the_instance_is_not_the_rules_business() {
    assert_eq!(chosen(&["/mcp/**"], "/mcp-server/http"), "unguarded");
    assert_eq!(chosen(&["/mcp/**"], "/rest/login"), "unguarded");
}

#[test]
fn segments_are_compared_as_decoded() {
    assert_chosen(
        &["/webhook/caf\u{e9}/a b", "/webhook/echo"],
        &[
            ("/webhook/caf%C3%A9/a%20b", "/webhook/caf\u{e9}/a b"),
            ("/webhook/%65cho", "/webhook/echo"),
            ("/WEBHOOK/echo", "/webhook/echo"),
        ],
    );
}

#[test]
fn a_spelling_that_gets_around_a_rule_by_its_case_is_ambiguous() {
    assert_chosen(
        &["/webhook/orders", "/webhook/Public/**", "/webhook/**"],
        &[
            ("/webhook/Orders", "ambiguous"),
            ("/webhook/public/x", "ambiguous"),
            ("/webhook/orders", "/webhook/orders"),
            ("/webhook/Other", "/webhook/**"),
        ],
    );
    assert_eq!(chosen(&["/webhook/orders"], "/webhook/Orders"), "ambiguous");
    assert_eq!(
        chosen(&["/webhook/caf\u{e9}", "/webhook/**"], "/webhook/CAF%C3%89"),
        "ambiguous"
    );
}

#[test]
fn a_spelling_that_gets_around_a_rule_by_its_order_is_ambiguous() {
    assert_chosen(
        &["/webhook/hook/user/*/orders", "/webhook/**"],
        &[
            ("/webhook/hook/user/7/orders", "/webhook/hook/user/*/orders"),
            ("/webhook/hook/orders/user/7", "ambiguous"),
            ("/webhook/hook/7/ORDERS/user", "ambiguous"),
            ("/webhook/hook/user/7/bills", "/webhook/**"),
            ("/webhook/user/hook/7/orders", "/webhook/**"),
            ("/webhook/hook/user/7/orders/x", "/webhook/**"),
        ],
    );
}

/// What going through all rules chooses: a rule, none of them, or what there is instead.
fn chosen_one_by_one(rules: &WebhookRules, route: &Route) -> Result<Option<usize>, ()> {
    let named = |prefix: Prefix| {
        rules
            .list
            .iter()
            .any(|rule| rule.pattern.prefix() == prefix)
    };
    let prefix = route.trigger().ok_or(())?;
    let prefix = [Some(prefix), prefix.production()]
        .into_iter()
        .flatten()
        .find(|prefix| named(*prefix))
        .ok_or(())?;
    let [exact, case, order] = [
        Comparison::Exact,
        Comparison::IgnoringCase,
        Comparison::IgnoringOrder,
    ]
    .map(|comparison| {
        rules.list.iter().position(|rule| {
            rule.pattern.prefix() == prefix
                && rule.pattern.matches(route.below_prefix(), comparison)
        })
    });
    if exact == case && exact == order {
        Ok(exact)
    } else {
        Err(())
    }
}

proptest::proptest! {
    #[test]
    fn looking_up_chooses_what_going_through_all_rules_chooses(
        patterns in proptest::collection::vec(
            "/(webhook|form|webhook-test)(/(a|B|c|\\*)){0,3}(/\\*\\*)?", 0..20,
        ),
        paths in proptest::collection::vec("/(webhook|form|webhook-test)(/(a|A|b|c)){0,4}", 20),
    ) {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let rules = rules(&patterns);
        for path in paths {
            let route = classify(&Endpoints::default(), path.as_bytes()).unwrap();
            let place = |rule| rules.list.iter().position(|one| std::ptr::eq(one, rule));
            let choice = match rules.choose(&route) {
                RuleChoice::Rule(rule) => Ok(place(rule)),
                RuleChoice::NoRule => Ok(None),
                RuleChoice::Unguarded | RuleChoice::Ambiguous => Err(()),
            };
            proptest::prop_assert_eq!(choice, chosen_one_by_one(&rules, &route), "{}", path);
        }
        for rule in rules.iter() {
            let first = rules.iter().position(|one| one.pattern.covers(&rule.pattern));
            proptest::prop_assert_eq!(rules.first_covering(&rule.pattern), first);
        }
    }
}
