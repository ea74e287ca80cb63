//! Which rule is chosen for which path.

use super::*;
use crate::n8n::{classify, Endpoints, Line, Prefixes};

fn rules(patterns: &[&str]) -> WebhookRules {
    WebhookRules::new(
        patterns
            .iter()
            .map(|pattern| WebhookRule {
                dpop: DpopUse::Accepted,
                pattern: PathPattern::parse(pattern, &Endpoints::default()).unwrap(),
                auth: WebhookAuth::Bearer,
                require: Condition::default(),
                scopes_supported: Vec::new(),
                token_from: None,
                keep_authorization: false,
                cors_preflight: Preflight::Guard,
            })
            .collect(),
    )
}

/// The pattern of the chosen rule, or what there is instead of one.
fn chosen(patterns: &[&str], path: &str) -> String {
    let prefixes = Prefixes::default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let route = match classify(&prefixes, path.as_bytes()) {
        Ok(route) => route,
        Err(fault) => return format!("400 {}", fault.as_str()),
    };
    match rules(patterns).choose(&route, query.as_bytes()) {
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

/// A change of a rule.
type Edit = fn(&mut WebhookRule);

/// One workflow has three addresses there. A rule for one of them must not be avoided at another.
#[test]
fn in_n8n_1_a_rule_for_one_endpoint_holds_at_the_others() {
    let chosen = |rules: &WebhookRules, path: &str| {
        let route = classify(&Prefixes::default(), path.as_bytes()).unwrap();
        match rules.choose(&route, b"") {
            RuleChoice::Rule(rule) => rule.pattern.to_string(),
            RuleChoice::Unguarded => "unguarded".to_owned(),
            RuleChoice::NoRule => "no rule".to_owned(),
            RuleChoice::Ambiguous => "ambiguous".to_owned(),
        }
    };
    let with = |edits: &[(&str, Edit)]| {
        let patterns: Vec<_> = edits.iter().map(|(pattern, _)| *pattern).collect();
        let mut list: Vec<_> = rules(&patterns).iter().cloned().collect();
        for (rule, (_, edit)) in list.iter_mut().zip(edits) {
            edit(rule);
        }
        WebhookRules::new(list).in_line(Line::V1_123)
    };
    let bearer: Edit = |_| {};
    let open: Edit = |rule| rule.auth = WebhookAuth::Open;
    let deny: Edit = |rule| rule.auth = WebhookAuth::Deny;
    let other: Edit = |rule| rule.dpop = DpopUse::Required;

    let guarded = with(&[("/webhook/open/**", open), ("/webhook/**", bearer)]);
    let orders = with(&[("/webhook/orders/**", bearer)]);
    let forms = with(&[
        ("/webhook/**", bearer),
        ("/form/**", open),
        ("/webhook-test/**", deny),
    ]);
    let differing = with(&[("/webhook/**", bearer), ("/mcp/**", other)]);
    let same = with(&[("/webhook/**", bearer), ("/mcp/**", bearer)]);
    for (rules, path, expected) in [
        (&guarded, "/webhook/x", "/webhook/**"),
        (&guarded, "/form/x", "/webhook/**"),
        (&guarded, "/MCP/x", "/webhook/**"),
        (&guarded, "/mcp-test/x", "/webhook/**"),
        (&guarded, "/form/open/x", "/webhook/open/**"),
        (&guarded, "/form/Open/x", "ambiguous"),
        (&guarded, "/webhook-waiting/7", "unguarded"),
        (&guarded, "/form-waiting/7", "unguarded"),
        (&orders, "/mcp/orders/x", "/webhook/orders/**"),
        (&orders, "/form/contact", "no rule"),
        (&forms, "/form/x", "/webhook/**"),
        (&forms, "/webhook/x", "/webhook/**"),
        (&forms, "/mcp/x", "/webhook/**"),
        (&forms, "/form-test/x", "/webhook-test/**"),
        (&differing, "/webhook/x", "ambiguous"),
        (&differing, "/mcp/x", "ambiguous"),
        (&same, "/webhook/x", "/webhook/**"),
        (&same, "/mcp/x", "/mcp/**"),
        (&same, "/form/x", "/webhook/**"),
        (&with(&[]), "/form/x", "unguarded"),
    ] {
        assert_eq!(chosen(rules, path), expected, "{path}");
    }
    // n8n 2 serves each kind at its own endpoint.
    let in_2 = guarded.clone().in_line(Line::V2_41);
    assert_eq!(chosen(&in_2, "/form/x"), "unguarded");
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
fn a_segment_of_a_template_finds_no_webhook() {
    let rules = &["/webhook/6f5b/**", "/webhook/**"];
    for path in [
        "/webhook/user/:id/orders",
        "/webhook/user/%3Aid/orders",
        "/WEBHOOK/user/%3aid/orders/",
        "/webhook/6f5b/user/:id/orders",
        "/webhook/:id",
        "/webhook/x/:",
        "/webhook-test/:id/x",
        "/webhook-waiting/:id",
        "/form/:id",
        "/form-test/:id",
        "/form-waiting/7/:x",
        "/mcp/a/:id/sse",
        "/mcp-test/:id",
        "/rest/projects/p/agents/v2/:a/webhooks/slack",
        "/chat/:x",
    ] {
        assert_eq!(chosen(rules, path), "400 template_segment", "{path}");
    }
    for path in ["/webhook/a:b", "/webhook/x/7:30"] {
        assert_eq!(chosen(rules, path), "/webhook/**", "{path}");
    }
    assert_eq!(chosen(rules, "/mcp-server/:x"), "unguarded");
}

#[test]
fn the_key_of_a_test_listener_finds_none() {
    let rules = &["/webhook/6f5b/**", "/webhook/**"];
    for path in [
        "/webhook-test/6f5b|1",
        "/webhook-test/6f5b%7C1/",
        "/Webhook-Test/x/a%7cb",
        "/form-test/6f5b|1",
        "/mcp-test/6f5b|2",
    ] {
        assert_eq!(chosen(rules, path), "400 vertical_bar", "{path}");
    }
    assert_eq!(chosen(rules, "/webhook/6f5b%7C1"), "/webhook/**");
}

#[test]
fn a_test_listener_with_its_id_twice_is_ambiguous_where_that_gets_around_a_rule() {
    assert_chosen(
        &["/webhook/6f5b/user/*", "/webhook/order/**", "/webhook/**"],
        &[
            ("/webhook-test/6f5b/user/7", "/webhook/6f5b/user/*"),
            ("/webhook-test/6f5b/6f5b/user/7", "ambiguous"),
            ("/webhook-test/6f5b/6F5Bjunk/user/7", "ambiguous"),
            ("/webhook-test/6f5b/6f5bx/7/user", "ambiguous"),
            ("/webhook-test/6f5b/6f5/user/7", "/webhook/**"),
            ("/webhook-test/6f5b/x6f5b/user/7", "/webhook/**"),
            ("/webhook-test/6f5b/6f5b/other/7", "/webhook/**"),
            ("/webhook-test/order/orders/7", "/webhook/order/**"),
            // In production n8n does not look for it so.
            ("/webhook/6f5b/6f5b/user/7", "/webhook/**"),
        ],
    );
}

#[test]
fn an_execution_is_resumed_under_the_rule_of_the_path_in_its_token() {
    assert_chosen(
        &["/webhook-waiting/*/approve", "/webhook-waiting/**"],
        &[
            (
                "/webhook-waiting/7/approve?signature=t",
                "/webhook-waiting/*/approve",
            ),
            ("/webhook-waiting/7?signature=t", "/webhook-waiting/**"),
            (
                "/webhook-waiting/7/?signature=t/other",
                "/webhook-waiting/**",
            ),
            ("/webhook-waiting/7?signature=t/approve", "ambiguous"),
            ("/webhook-waiting/7?x=1&signature=t%2FAPPROVE", "ambiguous"),
            ("/webhook-waiting/7?s%69gnature=/approve", "ambiguous"),
            // n8n reads the first, and only where the path names none.
            (
                "/webhook-waiting/7?signature=t&signature=t/approve",
                "/webhook-waiting/**",
            ),
            (
                "/webhook-waiting/7/x?signature=t/approve",
                "/webhook-waiting/**",
            ),
        ],
    );
    let deep = format!("/webhook-waiting/7?signature=t{}", "/x".repeat(64));
    assert_eq!(chosen(&["/webhook-waiting/**"], &deep), "ambiguous");
    let rules = &["/webhook-waiting/*"];
    assert_eq!(chosen(rules, "/webhook-waiting/7?signature=t"), rules[0]);
    assert_eq!(
        chosen(rules, "/webhook-waiting/7?signature=t/x"),
        "ambiguous"
    );
}

#[test]
fn buttons_that_resume_executions_are_guarded_as_executions_are() {
    for path in ["/webhook-waiting-slack", "/Webhook-Waiting-Telegram/"] {
        assert_eq!(chosen(&["/webhook/**"], path), "unguarded", "{path}");
        assert_eq!(
            chosen(&["/webhook-waiting/**"], path),
            "/webhook-waiting/**"
        );
        assert_eq!(chosen(&["/webhook-waiting/*"], path), "no rule", "{path}");
    }
    assert_chosen(
        &["/webhook-waiting-slack", "/webhook-waiting/**"],
        &[
            ("/webhook-waiting-slack", "/webhook-waiting-slack"),
            ("/webhook-waiting-telegram", "/webhook-waiting/**"),
            ("/webhook-waiting-slack/x", "no rule"),
            ("/webhook-waiting-other", "unguarded"),
        ],
    );
}

#[test]
fn webhooks_of_agents_and_the_chat_have_rules_of_their_own() {
    assert_chosen(
        &[
            "/rest/projects/*/agents/v2/a1/webhooks/slack",
            "/rest/projects/*/agents/v2/*/webhooks/**",
            "/chat",
        ],
        &[
            (
                "/rest/projects/p/agents/v2/a1/webhooks/slack",
                "/rest/projects/*/agents/v2/a1/webhooks/slack",
            ),
            (
                "/REST/projects/other/agents/v2/a1/webhooks/slack/",
                "/rest/projects/*/agents/v2/a1/webhooks/slack",
            ),
            ("/rest/Projects/p/agents/v2/a1/webhooks/slack", "ambiguous"),
            ("/rest/projects/p/agents/v2/A1/webhooks/slack", "ambiguous"),
            (
                "/rest/projects/p/agents/v2/a2/webhooks/slack",
                "/rest/projects/*/agents/v2/*/webhooks/**",
            ),
            ("/rest/projects/p/agents/v2/a1/chat", "unguarded"),
            (
                "/rest/projects/p%2Fq/agents/v2/a1/webhooks/slack",
                "400 encoded_slash",
            ),
            (
                "/rest/projects/p/agents/v2/%2e%2e/webhooks/slack",
                "400 dot_segment",
            ),
            ("/chat", "/chat"),
            ("/chat/", "/chat"),
            ("/Chat", "/chat"),
            ("/chat/x", "no rule"),
            ("/chats", "unguarded"),
            ("/rest/chat", "unguarded"),
        ],
    );
    for path in ["/chat", "/rest/projects/p/agents/v2/a/webhooks/slack"] {
        assert_eq!(chosen(&["/webhook/**"], path), "unguarded", "{path}");
    }
}

#[test]
fn a_path_of_many_segments_is_refused_before_it_is_looked_up() {
    let rules = &["/webhook/t/orders/**"];
    for (count, expected) in [(62, rules[0]), (63, "400 too_many_segments")] {
        let path = format!("/webhook/t{}", "/orders".repeat(count));
        assert_eq!(chosen(rules, &path), expected, "{count}");
    }
    // Nothing is looked up for these.
    assert_eq!(
        chosen(rules, &format!("/rest{}", "/x".repeat(5000))),
        "unguarded"
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
fn chosen_one_by_one(rules: &WebhookRules, route: &Route<'_>) -> Result<Option<usize>, ()> {
    let named = |prefix: Prefix| {
        rules
            .list
            .iter()
            .any(|rule| rule.pattern.prefix() == prefix)
    };
    let prefix = route.trigger().ok_or(())?;
    let prefix = [Some(prefix), prefix.counterpart()]
        .into_iter()
        .flatten()
        .find(|prefix| named(*prefix))
        .ok_or(())?;
    let below = Below::new(route.below_prefix().iter().map(AsRef::<str>::as_ref));
    let position = |comparison| {
        rules.list.iter().position(|rule| {
            rule.pattern.prefix() == prefix && rule.pattern.matches(&below, comparison)
        })
    };
    let mut ways = vec![Comparison::IgnoringCase, Comparison::IgnoringOrder];
    if route.trigger().is_some_and(Prefix::is_test) && below.repeats_first() {
        ways.push(Comparison::RepeatedFirst);
    }
    let exact = position(Comparison::Exact);
    if ways.into_iter().all(|way| position(way) == exact) {
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
        paths in proptest::collection::vec("/(webhook|form|webhook-test)(/(a|A|b|c|ab)){0,4}", 20),
    ) {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let rules = rules(&patterns);
        for path in paths {
            let route = classify(&Prefixes::default(), path.as_bytes()).unwrap();
            let index = |rule| rules.list.iter().position(|one| std::ptr::eq(one, rule));
            let choice = match rules.choose(&route, b"") {
                RuleChoice::Rule(rule) => Ok(index(rule)),
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
