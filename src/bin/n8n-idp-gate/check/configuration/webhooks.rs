//! Webhook rules whose requests are all refused, because another rule matches them in another case or
//! order.

use n8n_idp_gate::n8n::{classify, Endpoints};
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
            if !is_ambiguous(&instance.webhooks, &path, &instance.endpoints) {
                continue;
            }
            let others = rules
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let mut culprits = others.filter(|(other, one)| {
                let mut pair: Vec<WebhookRule> = vec![(**one).clone(), (**rule).clone()];
                if *other > index {
                    pair.reverse();
                }
                is_ambiguous(&WebhookRules::new(pair), &path, &instance.endpoints)
            });
            let culprit = match culprits.next() {
                Some((other, _)) => format!("{at}[{other}]"),
                None => "another rule".to_owned(),
            };
            found.push(Fault::new(
                WEBHOOK_AMBIGUOUS,
                format!("{at}[{index}].path"),
                format!(
                    "its requests are answered with 400 (webhook_case): {culprit} matches their paths in \
                     another case or order"
                ),
                "give the webhooks paths that differ in more than that, or one rule",
            ));
        }
    }
    found
}

fn is_ambiguous(rules: &WebhookRules, path: &str, endpoints: &Endpoints) -> bool {
    let route = classify(endpoints, path.as_bytes());
    route.is_ok_and(|route| matches!(rules.choose(&route, b""), RuleChoice::Ambiguous))
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
