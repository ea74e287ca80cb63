//! Patterns that are refused, that cover others, and that meet.

use super::*;

fn parse(pattern: &str) -> Result<PathPattern, PatternFault> {
    PathPattern::parse(pattern, &Endpoints::default())
}

fn covers(wide: &str, narrow: &str) -> bool {
    parse(wide).unwrap().covers(&parse(narrow).unwrap())
}

#[test]
fn a_pattern_is_shown_as_it_was_written() {
    for pattern in ["/webhook/orders/**", "/Webhook/*/in/", "/mcp/**"] {
        assert_eq!(parse(pattern).unwrap().to_string(), pattern);
    }
}

#[test]
fn what_no_request_could_match_is_refused() {
    let deep = format!("/webhook{}", "/a".repeat(64));
    for (pattern, fault) in [
        ("webhook/x", PatternFault::NotAbsolute),
        ("", PatternFault::NotAbsolute),
        ("/webhook//x", PatternFault::EmptySegment),
        ("/webhook/./x", PatternFault::DotSegment),
        ("/webhook/..", PatternFault::DotSegment),
        ("/webhook/a%20b", PatternFault::Character('%')),
        ("/webhook/a;b", PatternFault::Character(';')),
        ("/webhook/a\\b", PatternFault::Character('\\')),
        ("/webhook/a?b", PatternFault::Character('?')),
        ("/webhook/a\nb", PatternFault::Character('\n')),
        (
            "/webhook/or*",
            PatternFault::PartialWildcard("or*".to_owned()),
        ),
        (
            "/webhook/***",
            PatternFault::PartialWildcard("***".to_owned()),
        ),
        ("/webhook/**/x", PatternFault::InnerDoubleWildcard),
        (
            "/webhook/user/:id/orders",
            PatternFault::Parameter(":id".to_owned()),
        ),
        ("/webhook-test/a|b", PatternFault::Character('|')),
        (
            "/webhook-waiting/7/**",
            PatternFault::Execution("7".to_owned()),
        ),
        ("/form-waiting/x", PatternFault::Execution("x".to_owned())),
        (
            "/rest/projects/p1/agents/v2/*/webhooks/**",
            PatternFault::Project("p1".to_owned()),
        ),
        (&*deep, PatternFault::TooManySegments),
    ] {
        assert_eq!(parse(pattern), Err(fault), "{pattern}");
    }
}

#[test]
fn a_path_that_is_no_trigger_gets_the_list_of_those_that_are() {
    for pattern in [
        "/api/v1/**",
        "/**",
        "/",
        "/mcp-server/http",
        "/webhooks/x",
        "/rest/**",
        "/rest/projects/**",
        "/rest/projects/*/agents/v2/**",
        "/rest/projects/*/agents/v2/**/webhooks",
    ] {
        assert_eq!(
            parse(pattern).unwrap_err().to_string(),
            "it has to begin with /webhook or /webhook-test or /webhook-waiting or /form or \
             /form-test or /form-waiting or /mcp or /mcp-test or /webhook-waiting-slack or \
             /webhook-waiting-telegram or /rest/projects/*/agents/v2/*/webhooks or /chat",
            "{pattern}"
        );
    }
}

#[test]
fn patterns_of_the_public_api_begin_with_its_endpoint() {
    let endpoints = Endpoints::default();
    let parse = |pattern| PathPattern::parse_api(pattern, &endpoints);
    assert_eq!(parse("/API/v1/**").unwrap().prefix(), Prefix::Api);
    for pattern in ["/webhook/x", "/v1/workflows", "/**"] {
        let fault = parse(pattern).unwrap_err();
        assert_eq!(fault.to_string(), "it has to begin with /api", "{pattern}");
    }
}

#[test]
fn the_configured_endpoint_is_the_one_that_counts() {
    let endpoints = Endpoints {
        webhook: "hooks/in".to_owned(),
        ..Endpoints::default()
    };
    let pattern = PathPattern::parse("/Hooks/IN/orders", &endpoints).unwrap();
    assert_eq!(pattern.prefix(), Prefix::Webhook);
    assert!(pattern.matches(&Below::new(["orders"]), Comparison::Exact));
    assert!(PathPattern::parse("/webhook/orders", &endpoints).is_err());
    assert!(PathPattern::parse("/hooks/orders", &endpoints).is_err());
}

#[test]
fn a_wider_pattern_covers_a_narrower_one() {
    for (wide, narrow) in [
        ("/webhook/**", "/webhook/**"),
        ("/webhook/**", "/webhook"),
        ("/webhook/**", "/webhook/*/in"),
        ("/webhook/*", "/webhook/x"),
        ("/webhook/*/**", "/webhook/x/y/**"),
        ("/webhook/x/", "/WEBHOOK/x"),
    ] {
        assert!(covers(wide, narrow), "{wide} {narrow}");
    }
}

#[test]
fn a_pattern_that_leaves_something_over_does_not_cover() {
    for (wide, narrow) in [
        ("/webhook/*/**", "/webhook/**"),
        ("/webhook/*", "/webhook/**"),
        ("/webhook/*", "/webhook/x/y"),
        ("/webhook/x", "/webhook/*"),
        ("/webhook/x", "/webhook/X"),
        ("/webhook/x/**", "/webhook/*/**"),
        ("/webhook/**", "/webhook-test/x"),
        ("/webhook/**", "/form/x"),
    ] {
        assert!(!covers(wide, narrow), "{wide} {narrow}");
    }
}

#[test]
fn patterns_meet_and_cover_as_the_paths_that_they_match_say() {
    let words = ["a", "B", "b", "*"];
    let mut patterns = vec![String::new()];
    for one in words {
        patterns.push(format!("/{one}"));
        patterns.extend(words.map(|two| format!("/{one}/{two}")));
    }
    let open = patterns.clone().into_iter().map(|text| text + "/**");
    let all: Vec<_> = patterns.clone().into_iter().chain(open).collect();
    let all: Vec<_> = all
        .iter()
        .map(|text| parse(&format!("/webhook{text}")).unwrap())
        .collect();
    let letters = ["a", "b", "B", "c"];
    let mut paths: Vec<Vec<&str>> = vec![vec![]];
    for _ in 0..3 {
        let longer: Vec<_> = paths
            .iter()
            .flat_map(|path| letters.map(|letter| [&path[..], &[letter]].concat()))
            .collect();
        paths.extend(longer);
    }
    let paths: Vec<Below<'_>> = paths.into_iter().map(Below::new).collect();
    for one in &all {
        for other in &all {
            let both = |path: &&Below<'_>| {
                [one, other]
                    .iter()
                    .all(|p| p.matches(path, Comparison::IgnoringCase))
            };
            assert_eq!(
                one.meets(other),
                paths.iter().any(|path| both(&path)),
                "{one} {other}"
            );
            for comparison in [Comparison::Exact, Comparison::IgnoringCase] {
                let left_over = paths
                    .iter()
                    .find(|path| other.matches(path, comparison) && !one.matches(path, comparison));
                assert!(!one.covers(other) || left_over.is_none(), "{one} {other}");
            }
        }
    }
}

#[test]
fn patterns_of_two_endpoints_never_meet() {
    for (one, other) in [
        ("/webhook/**", "/webhook-test/**"),
        ("/webhook/x", "/form/x"),
        ("/webhook/*", "/mcp/x"),
    ] {
        let [one, other] = [one, other].map(|text| parse(text).unwrap());
        assert!(!one.meets(&other) && !other.meets(&one), "{one} {other}");
    }
}

#[test]
fn an_endpoint_is_whole_with_all_that_is_below_it() {
    for (pattern, expected) in [
        ("/webhook/**", true),
        ("/webhook", false),
        ("/webhook/*", false),
        ("/webhook/x/**", false),
        ("/webhook/*/**", false),
    ] {
        let found = parse(pattern).unwrap().is_whole_endpoint();
        assert_eq!(found, expected, "{pattern}");
    }
}
