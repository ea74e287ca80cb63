//! Webhook rules whose requests are all refused, because another rule matches them in another case or
//! order, or at another endpoint of n8n 1.

use n8n_idp_gate::n8n::{classify, Prefixes};
use n8n_idp_gate::policy::{Policy, RuleChoice, WebhookRule, WebhookRules};

use crate::diagnostic::rules::WEBHOOK_AMBIGUOUS;
use crate::diagnostic::Fault;

pub(super) fn look(policy: &Policy) -> Vec<Fault> {
    let mut found = Vec::new();
    for (number, instance) in policy.instances.iter().enumerate() {
        let at = match instance.name {
            Some(_) => format!("instances[{number}].webhooks"),
            None => "webhooks".to_owned(),
        };
        let rules: Vec<_> = instance.webhooks.iter().collect();
        for (index, rule) in rules.iter().enumerate() {
            let path = sample(&rule.pattern.to_string());
            let Some(refusal) = refusal(&instance.webhooks, &path, &instance.prefixes) else {
                continue;
            };
            let others = rules
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let mut culprits = others.filter(|(other, one)| {
                let mut pair: Vec<WebhookRule> = vec![(**one).clone(), (**rule).clone()];
                if *other > index {
                    pair.reverse();
                }
                let pair = WebhookRules::new(pair).in_line(instance.line);
                self::refusal(&pair, &path, &instance.prefixes).is_some()
            });
            let culprit = match culprits.next() {
                Some((other, _)) => format!("{at}[{other}]"),
                None => "another rule".to_owned(),
            };
            let (way, hint) = if instance.line.shares_triggers() {
                (
                    "another case or order, or is for another endpoint, at which n8n 1 serves them too",
                    "write the same rule for the paths below /webhook, /form and /mcp, or one for one of them",
                )
            } else {
                (
                    "another case or order",
                    "give the webhooks paths that differ in more than that, or one rule",
                )
            };
            found.push(Fault::new(
                WEBHOOK_AMBIGUOUS,
                format!("{at}[{index}].path"),
                format!("its requests are answered with {refusal}: {culprit} matches their paths in {way}"),
                hint,
            ));
        }
    }
    found
}

/// How every request for a path is refused, if it is, although there is a rule for it.
fn refusal(rules: &WebhookRules, path: &str, prefixes: &Prefixes) -> Option<&'static str> {
    let route = classify(prefixes, path.as_bytes()).ok()?;
    match rules.choose(&route, b"") {
        RuleChoice::Ambiguous => Some("400 (ambiguous_case)"),
        RuleChoice::NoRule => Some("403 (webhook_no_rule)"),
        RuleChoice::Rule(_) | RuleChoice::Unguarded => None,
    }
}

/// A path that a pattern matches, as a client sends it.
fn sample(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment {
        "*" | "**" => "any-0".to_owned(),
        literal => encoded(literal),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn encoded(segment: &str) -> String {
    let bytes = segment.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}
